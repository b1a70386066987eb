import { TracingConfigurationError } from '../tracing.errors.js';
import { knownKeys } from './known-keys.js';
import { firstParsed, parseFirst, warnOfVariable } from './lenient.js';
import { integer, milliseconds, timeout } from './parse.js';
import { option, variable, type Setting } from './setting.js';

/** The queue between finished spans and the exporter. When it is full, further spans are dropped and counted. */
export interface BatchOptions {
  /** Spans that may wait, with 64 MiB at most together, or 8 KiB for each if that is more. @default `OTEL_BSP_MAX_QUEUE_SIZE`, else 2048 */
  maxQueueSize?: number;
  /** Spans in one export, at most `maxQueueSize`. @default `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, else 512 */
  maxExportBatchSize?: number;
  /** Longest wait of a span, in milliseconds. @default `OTEL_BSP_SCHEDULE_DELAY`, else 5000 */
  scheduledDelay?: number;
  /** When an export counts as failed, in milliseconds. @default `OTEL_BSP_EXPORT_TIMEOUT`, else 30000 */
  exportTimeout?: number;
}

export interface ResolvedBatch {
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduledDelay: number;
  readonly exportTimeout: number;
}

const DEFAULT_QUEUE_SIZE = 2048;
const DEFAULT_BATCH_SIZE = 512;

type Sources = readonly (Setting | undefined)[];

/** Settles the queue between finished spans and the exporter. */
export function resolveBatch(given: BatchOptions | undefined, env: NodeJS.ProcessEnv): ResolvedBatch {
  const options = knownKeys<BatchOptions>('batch', given, {
    maxQueueSize: true,
    maxExportBatchSize: true,
    scheduledDelay: true,
    exportTimeout: true,
  });
  const sources = (key: keyof BatchOptions, name: string): Sources => [
    option(`batch.${key}`, options[key]),
    variable(env, `OTEL_BSP_${name}`),
  ];
  return Object.freeze({
    ...sizes(sources('maxQueueSize', 'MAX_QUEUE_SIZE'), sources('maxExportBatchSize', 'MAX_EXPORT_BATCH_SIZE')),
    scheduledDelay:
      parseFirst((delay) => milliseconds(delay, 0), ...sources('scheduledDelay', 'SCHEDULE_DELAY')) ?? 5000,
    exportTimeout: parseFirst(timeout, ...sources('exportTimeout', 'EXPORT_TIMEOUT')) ?? 30_000,
  });
}

/** A batch cannot be larger than the queue. */
function sizes(
  queueSources: Sources,
  batchSources: Sources,
): Pick<ResolvedBatch, 'maxQueueSize' | 'maxExportBatchSize'> {
  const queue = firstParsed((size) => integer(size, 1), ...queueSources);
  const batch = firstParsed((size) => integer(size, 1), ...batchSources);
  const maxQueueSize = queue?.value ?? DEFAULT_QUEUE_SIZE;
  const maxExportBatchSize = Math.min(batch?.value ?? DEFAULT_BATCH_SIZE, maxQueueSize);
  if (batch && batch.value > maxQueueSize) refuseBatch(batch.setting, queue?.setting, maxQueueSize);
  return { maxQueueSize, maxExportBatchSize };
}

/** Throws where both sizes are written in code. Where a variable has one of them, the batch is as large as the queue. */
function refuseBatch(batch: Setting, queue: Setting | undefined, maxQueueSize: number): void {
  const fix = `Use at most the size of the queue (${queue?.name ?? 'batch.maxQueueSize'}), which is ${maxQueueSize}.`;
  const platform = [batch, queue].find((setting) => setting?.variable !== undefined);
  if (!platform) throw new TracingConfigurationError(batch.name, batch.value, fix);
  const conflict = `does not go with ${batch.name}, which is ${String(batch.value)}`;
  const reason = platform === batch ? `is ${String(batch.value)}, more than the queue holds` : conflict;
  warnOfVariable(platform, `${reason}: batches have ${maxQueueSize} spans. ${fix}`);
}
