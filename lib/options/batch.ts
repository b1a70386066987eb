import { TracingConfigurationError } from '../tracing.errors.js';
import type { BatchOptions } from '../tracing.options.js';
import { knownKeys } from './known-keys.js';
import { integer, milliseconds } from './parse.js';
import type { ResolvedBatch } from './resolved-options.js';
import { firstOf, option, variable } from './setting.js';

/** Settles the queue between finished spans and the exporter. */
export function resolveBatch(given: BatchOptions | undefined, env: NodeJS.ProcessEnv): ResolvedBatch {
  const keys = ['maxQueueSize', 'maxExportBatchSize', 'scheduledDelay', 'exportTimeout'] as const;
  const options = knownKeys<BatchOptions>('batch', given, keys);
  const setting = (key: keyof BatchOptions, name: string) =>
    firstOf(option(`batch.${key}`, options[key]), variable(env, `OTEL_BSP_${name}`));

  const queueSize = setting('maxQueueSize', 'MAX_QUEUE_SIZE');
  const batchSize = setting('maxExportBatchSize', 'MAX_EXPORT_BATCH_SIZE');
  const delay = setting('scheduledDelay', 'SCHEDULE_DELAY');
  const timeout = setting('exportTimeout', 'EXPORT_TIMEOUT');

  const maxQueueSize = queueSize ? integer(queueSize, 1) : 2048;
  const maxExportBatchSize = batchSize ? integer(batchSize, 1) : Math.min(512, maxQueueSize);
  if (batchSize && maxExportBatchSize > maxQueueSize) {
    const fix = `Use at most the size of the queue (${queueSize?.name ?? 'batch.maxQueueSize'}), which is ${maxQueueSize}.`;
    throw new TracingConfigurationError(batchSize.name, batchSize.value, fix);
  }
  return Object.freeze({
    maxQueueSize,
    maxExportBatchSize,
    scheduledDelay: delay ? milliseconds(delay, 0) : 5000,
    exportTimeout: timeout ? milliseconds(timeout) : 30_000,
  });
}
