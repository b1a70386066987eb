import { context, createContextKey, ROOT_CONTEXT, SpanKind, type Context } from '@opentelemetry/api';
import { callSafely, evaluatePredicate } from '../../core/diagnostics.js';
import { writeCarrier } from '../../core/job-carrier.js';
import type { MessageOperation } from '../../core/queue-messages.js';
import { suppressTracing } from '../../core/suppression.js';
import type { CurrentSettings, QuerySettings } from '../query-settings.js';
import { jobMetadataIn, storedMetadataOf } from './job-contexts.js';
import type { JobSpan, JobTelemetry } from './job-telemetry.js';
import { BULLMQ } from './messages.js';
import { ProcessSpan } from './process-span.js';
import { isSendTraced, SendSpan } from './send-span.js';
import { UnrecordedSpan } from './unrecorded-span.js';

/** The object of BullMQ that a telemetry belongs to, and the name of its queue; a flow has several. */
export type TelemetryOwner =
  { readonly kind: 'queue' | 'worker'; readonly queue: string } | { readonly kind: 'flow'; readonly queue: undefined };

/** The operation of BullMQ that processes a job, at the beginning of the name of its span. */
const PROCESS = 'process ';
const ADD_FLOW = 'addFlow ';
/** The beginning of the names of the operations that add jobs. Other operations of producers return jobs to a queue, which keep their metadata. */
const ADD = 'add';

const PRODUCER_METADATA = createContextKey('nestjs-tracing BullMQ producer');

const ownTelemetries = new WeakSet<object>();

/** True for an object of `createTelemetry()`. The application may have given another one to BullMQ. */
export function isOwnTelemetry(telemetry: object): boolean {
  return ownTelemetries.has(telemetry);
}

/** Creates the object by which BullMQ is traced: a span for the sending of jobs, and one for the processing of each job. */
export function createTelemetry(owner: TelemetryOwner, settings: CurrentSettings): JobTelemetry {
  function startSpan(name: string, kind: SpanKind | undefined, parent: Context | undefined): JobSpan {
    const current = settings();
    if (kind === SpanKind.CONSUMER && name.startsWith(PROCESS)) return startProcess(current, parent);
    // A job that has to be tried again keeps the metadata of its producer, and so does the next job of a scheduler, which a worker adds.
    if (kind !== SpanKind.PRODUCER) return new UnrecordedSpan(jobMetadataIn);
    if (owner.kind === 'worker') return new UnrecordedSpan(() => '');
    return current && name.startsWith(ADD) ? startSend(name, current) : new UnrecordedSpan(writeCarrier);
  }

  function startProcess(current: QuerySettings | undefined, parent: Context | undefined): JobSpan {
    const metadata = (parent?.getValue(PRODUCER_METADATA) as string | undefined) ?? '';
    const queue = owner.queue ?? '';
    if (!current) return new UnrecordedSpan(() => metadata);
    if (isIgnored('process', queue, current)) return new UnrecordedSpan(() => metadata, suppressTracing);
    return new ProcessSpan(queue, metadata, current);
  }

  function startSend(name: string, current: QuerySettings): JobSpan {
    const caller = context.active();
    const queue = owner.queue ?? (name.startsWith(ADD_FLOW) ? name.slice(ADD_FLOW.length) : undefined);
    if (!isSendTraced(caller, current) || isIgnored('send', queue, current)) return new UnrecordedSpan(writeCarrier);
    return new SendSpan(queue, caller, current);
  }

  const telemetry: JobTelemetry = {
    tracer: {
      startSpan: (name, options, parent) =>
        callSafely('Tracing BullMQ', () => startSpan(name, options?.kind, parent)) ?? new UnrecordedSpan(() => ''),
    },
    contextManager: {
      with: (target, fn) => context.with(target, fn),
      active: () => context.active(),
      root: () => ROOT_CONTEXT,
      getMetadata: storedMetadataOf,
      fromMetadata: (active, metadata) => active.setValue(PRODUCER_METADATA, metadata),
    },
  };
  ownTelemetries.add(telemetry);
  return telemetry;
}

export function isIgnored(operation: MessageOperation, queue: string | undefined, { ignore }: QuerySettings): boolean {
  if (!ignore) return false;
  const described = { system: BULLMQ, operation, collection: queue, text: undefined, namespace: undefined };
  return evaluatePredicate('data.ignore', () => ignore(described)) === true;
}
