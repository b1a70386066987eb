import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { muteKeys } from '../../core/muted-keys.js';
import type { CurrentSettings } from '../query-settings.js';
import { hasTelemetry, type BullExplorer, type BullFlowProducer, type BullQueue } from './bullmq.js';
import { createTelemetry, isOwnTelemetry } from './create-telemetry.js';
import type { JobTelemetry } from './job-telemetry.js';
import { reportFailedJob } from './process-span.js';
import { traceProcessing } from './trace-processing.js';
import { traceReceipts } from './trace-receipts.js';
import { traceFlows, traceSending } from './trace-sending.js';

const DEFAULT_PREFIX = 'bull';

/** The workers that are instrumented, which may be found in several places. */
const instrumentedWorkers = new WeakSet<object>();

/** Instruments a queue. The workers that `@nestjs/bullmq` creates for it inherit its telemetry. */
export function instrumentQueue(instance: object, settings: CurrentSettings): () => void {
  const queue = instance as BullQueue;
  const telemetry = createTelemetry({ kind: 'queue', queue: queue.name }, settings);
  const undos = [
    muteKeys(`${queue.qualifiedName}:`),
    ...(isTracedByApplication(queue.opts)
      ? []
      : hasTelemetry(queue)
        ? [setTelemetry(queue.opts, telemetry)]
        : traceSending(queue, telemetry)),
  ];
  return () => undoAll(undos);
}

export function instrumentFlowProducer(instance: object, settings: CurrentSettings): () => void {
  const producer = instance as BullFlowProducer;
  const undos = [
    muteKeys(`${producer.opts.prefix ?? DEFAULT_PREFIX}:`),
    ...traceFlows(producer, createTelemetry({ kind: 'flow', queue: undefined }, settings)),
  ];
  return () => undoAll(undos);
}

/** Instruments a worker. BullMQ tells its telemetry only the message of an error, and its listeners the error itself. */
export function instrumentWorker(instance: object, settings: CurrentSettings): () => void {
  if (instrumentedWorkers.has(instance)) return () => {};
  instrumentedWorkers.add(instance);
  const worker = instance as BullQueue;
  const telemetry = createTelemetry({ kind: 'worker', queue: worker.name }, settings);
  const undos = [
    muteKeys(`${worker.qualifiedName}:`),
    isTracedByApplication(worker.opts)
      ? undefined
      : hasTelemetry(worker)
        ? setTelemetry(worker.opts, telemetry)
        : traceProcessing(worker, telemetry),
    traceReceipts(worker, settings),
    interceptMethod(worker, 'emit', (emit, thisArg, args) => {
      const [event, , error] = args;
      if (event === 'failed') callSafely('Recording the failure of a job', () => reportFailedJob(error));
      return Reflect.apply(emit, thisArg, args);
    }),
    () => instrumentedWorkers.delete(instance),
  ];
  return () => undoAll(undos);
}

/** Instruments the workers that `@nestjs/bullmq` creates for processors, which are no providers. */
export function instrumentExplorer(instance: object, settings: CurrentSettings): () => void {
  const explorer = instance as BullExplorer;
  const undos: ((() => void) | undefined)[] = explorer.workers.map((worker) => instrumentWorker(worker, settings));
  const undo = interceptMethod(explorer, 'handleProcessor', (handle, thisArg, args) => {
    const result = Reflect.apply(handle, thisArg, args);
    callSafely('Tracing a worker of BullMQ', () => {
      const worker = explorer.workers.at(-1);
      if (worker) undos.push(instrumentWorker(worker, settings));
    });
    return result;
  });
  return () => undoAll([undo, ...undos]);
}

interface TelemetryHolder {
  telemetry?: JobTelemetry | undefined;
}

/** True if the application has set the option of BullMQ. A worker may have inherited that of its queue, which may be that of the library. */
function isTracedByApplication({ telemetry }: TelemetryHolder): boolean {
  return telemetry !== undefined && !isOwnTelemetry(telemetry);
}

/** Sets the option of BullMQ. */
function setTelemetry(holder: TelemetryHolder, telemetry: JobTelemetry): () => void {
  const hadTelemetry = Object.hasOwn(holder, 'telemetry');
  holder.telemetry = telemetry;
  return () => {
    if (holder.telemetry !== telemetry) return;
    if (hadTelemetry) holder.telemetry = undefined;
    else Reflect.deleteProperty(holder, 'telemetry');
  };
}

function undoAll(undos: readonly ((() => unknown) | undefined)[]): void {
  for (const undo of undos) undo?.();
}
