import { TracingConfigurationError } from '../tracing.errors.js';
import { checkKeys } from './check-keys.js';
import { firstParsed, parseFirst, warnOfVariable } from './lenient.js';
import { parseInteger, parseMilliseconds, parseTimeout } from './parse.js';
import { readOption, readVariable, type Setting, type Sources, type VariableName } from './setting.js';
import type { NumberOption } from './text-types.js';

/** The queue between finished spans and the exporter. When the queue is full, further spans are dropped and counted. */
export interface BatchOptions {
  /**
   * Number of spans in the queue. The queue is also full at 64 MiB, or at 8 KiB for each span of this number if that is more.
   * @default `OTEL_BSP_MAX_QUEUE_SIZE`, else 2048
   */
  maxQueueSize?: NumberOption | undefined;
  /** Number of spans in one export, at most `maxQueueSize`. @default `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, else 512 */
  maxExportBatchSize?: NumberOption | undefined;
  /**
   * Longest time that a span waits for its export, in milliseconds. The first spans wait a second at most, so that a missing backend is soon seen.
   * @default `OTEL_BSP_SCHEDULE_DELAY`, else 5000
   */
  scheduledDelay?: NumberOption | undefined;
  /** Time after which an export has failed, in milliseconds. @default `OTEL_BSP_EXPORT_TIMEOUT`, else 30000 */
  exportTimeout?: NumberOption | undefined;
}

export interface ResolvedBatch {
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduledDelay: number;
  readonly exportTimeout: number;
}

const DEFAULT_QUEUE_SIZE = 2048;
const DEFAULT_BATCH_SIZE = 512;

/** Resolves the queue between finished spans and the exporter. */
export function resolveBatch(given: BatchOptions | undefined, env: NodeJS.ProcessEnv): ResolvedBatch {
  const options = checkKeys<BatchOptions>('batch', given, {
    maxQueueSize: true,
    maxExportBatchSize: true,
    scheduledDelay: true,
    exportTimeout: true,
  });
  const sources = (key: keyof BatchOptions, name: VariableName): Sources => [
    readOption(`batch.${key}`, options[key]),
    readVariable(env, name),
  ];
  const delay = sources('scheduledDelay', 'OTEL_BSP_SCHEDULE_DELAY');
  return Object.freeze({
    ...resolveSizes(
      sources('maxQueueSize', 'OTEL_BSP_MAX_QUEUE_SIZE'),
      sources('maxExportBatchSize', 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE'),
    ),
    scheduledDelay: parseFirst((setting) => parseMilliseconds(setting, 0), ...delay) ?? 5000,
    exportTimeout: parseFirst(parseTimeout, ...sources('exportTimeout', 'OTEL_BSP_EXPORT_TIMEOUT')) ?? 30_000,
  });
}

/** Resolves the two sizes together, because a batch cannot be larger than the queue. */
function resolveSizes(
  queueSources: Sources,
  batchSources: Sources,
): Pick<ResolvedBatch, 'maxQueueSize' | 'maxExportBatchSize'> {
  const queue = firstParsed((size) => parseInteger(size, 1), ...queueSources);
  const batch = firstParsed((size) => parseInteger(size, 1), ...batchSources);
  const maxQueueSize = queue?.value ?? DEFAULT_QUEUE_SIZE;
  const maxExportBatchSize = Math.min(batch?.value ?? DEFAULT_BATCH_SIZE, maxQueueSize);
  if (batch && batch.value > maxQueueSize) reportLargeBatch(batch.setting, queue?.setting, maxQueueSize);
  return { maxQueueSize, maxExportBatchSize };
}

/** Throws if both sizes stand in code. Warns if one of them stands in a variable, and the batch is then as large as the queue. */
function reportLargeBatch(batch: Setting, queue: Setting | undefined, maxQueueSize: number): void {
  const fix = `Use at most the size of the queue (${queue?.name ?? 'batch.maxQueueSize'}), which is ${maxQueueSize}.`;
  const inVariable = [batch, queue].find((setting) => setting?.variable !== undefined);
  if (!inVariable) throw new TracingConfigurationError(batch.name, batch.value, fix);
  const conflict = `does not go with ${batch.name}, which is ${String(batch.value)}`;
  const reason = inVariable === batch ? `is ${String(batch.value)}, more than the queue holds` : conflict;
  warnOfVariable(inVariable, `${reason}: batches have ${maxQueueSize} spans. ${fix}`);
}
