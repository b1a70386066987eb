import { muteKeys } from '../../core/muted-keys.js';
import type { ObjectKind } from '../../core/found-objects.js';
import { isBullQueue, type BullQueue } from './bull.js';
import type { BullSettings } from './bull-settings.js';
import { traceConsumer } from './trace-consumer.js';
import { traceProducer } from './trace-producer.js';
import { traceReceipts } from './trace-receipts.js';

/** Returns the queues of Bull, which has no interface for telemetry. */
export function bullQueueHost(settings: BullSettings): ObjectKind {
  return {
    name: 'Bull queue',
    isSoughtInProperties: true,
    matches: isBullQueue,
    instrument: (queue) => instrumentQueue(queue as BullQueue, settings),
  };
}

/** Instruments a queue by methods in front of its own. The commands that Bull itself sends to Redis have no spans. */
function instrumentQueue(queue: BullQueue, settings: BullSettings): () => void {
  const undos = [
    muteKeys(queue.toKey('')),
    ...traceProducer(queue, settings),
    ...traceConsumer(queue, settings),
    ...traceReceipts(queue),
  ];
  return () => {
    for (const undo of undos) undo?.();
  };
}
