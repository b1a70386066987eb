import type { DataLibrary } from '../library.js';
import { isExplorer, isFlowProducer, isQueue, isWorker } from './bullmq.js';
import { instrumentExplorer, instrumentFlowProducer, instrumentQueue, instrumentWorker } from './instrument-queue.js';

/** BullMQ from 5.22, by its option `telemetry`. */
export const bullmqLibrary: DataLibrary = {
  name: 'bullmq',
  instances: [
    { name: 'BullMQ queue', matches: isQueue, instrument: instrumentQueue },
    { name: 'BullMQ flow producer', matches: isFlowProducer, instrument: instrumentFlowProducer },
    { name: 'BullMQ worker', matches: isWorker, instrument: instrumentWorker },
    { name: 'BullMQ processors', matches: isExplorer, instrument: instrumentExplorer },
  ],
};
