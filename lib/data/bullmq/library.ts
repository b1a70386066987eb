import type { DataLibrary } from '../library.js';
import { isExplorer, isFlowProducer, isQueue, isWorker } from './bullmq.js';
import { instrumentExplorer, instrumentFlowProducer, instrumentQueue, instrumentWorker } from './instrument-queue.js';

/** BullMQ from 5.24 by its option `telemetry`, and earlier versions by their methods. */
export const bullmqLibrary: DataLibrary = {
  name: 'bullmq',
  instances: [
    { name: 'BullMQ queue', isSoughtInProperties: true, matches: isQueue, instrument: instrumentQueue },
    {
      name: 'BullMQ flow producer',
      isSoughtInProperties: true,
      matches: isFlowProducer,
      instrument: instrumentFlowProducer,
    },
    { name: 'BullMQ worker', isSoughtInProperties: true, matches: isWorker, instrument: instrumentWorker },
    { name: 'BullMQ processors', matches: isExplorer, instrument: instrumentExplorer },
  ],
};
