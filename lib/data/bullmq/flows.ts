import { isObject } from '../../core/is-object.js';

/** The members of a job of a flow that are used here. */
interface FlowJob {
  readonly opts?: unknown;
  readonly children?: unknown;
}

/** A job of a flow that was added, with those that it waits for. */
interface AddedFlow {
  readonly job?: unknown;
  readonly children?: unknown;
}

/**
 * Returns a flow with the trace context in the options of each job, unless these have an option of the same name. The flow of the
 * application stays as it is.
 */
export function withTraceContextInFlow(flow: unknown, metadata: string): unknown {
  if (Array.isArray(flow)) return flow.map((each: unknown) => withTraceContextInFlow(each, metadata));
  if (!isObject(flow)) return flow;
  const { children, opts } = flow as FlowJob;
  const given = isObject(opts) ? opts : {};
  return {
    ...flow,
    opts: { telemetry: { metadata }, ...given },
    ...(Array.isArray(children) && { children: withTraceContextInFlow(children, metadata) }),
  };
}

/** Returns all jobs of flows that were added. */
export function jobsOfFlow(added: unknown): readonly unknown[] {
  if (Array.isArray(added)) return added.flatMap((each: unknown) => jobsOfFlow(each));
  if (!isObject(added)) return [];
  const { children, job } = added as AddedFlow;
  return [job, ...jobsOfFlow(children)];
}
