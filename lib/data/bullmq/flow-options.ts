import { isObject } from '../../core/is-object.js';

/** The members of a job of a flow that are used here. */
interface FlowJob {
  readonly opts?: unknown;
  readonly children?: unknown;
}

/**
 * Returns a flow in which each job has options, if only empty ones: BullMQ stores a trace context only with a job that has some. The flow of
 * the application stays as it is.
 */
export function withOptions(flow: unknown): unknown {
  if (Array.isArray(flow)) return flow.map((each: unknown) => withOptions(each));
  if (!isObject(flow)) return flow;
  const { children, opts } = flow as FlowJob;
  return { ...flow, opts: opts ?? {}, ...(Array.isArray(children) && { children: withOptions(children) }) };
}
