import type { Context } from '@opentelemetry/api';
import { followTracingChannel, type ChannelCall, type ChannelMessage } from '../../core/tracing-channel.js';
import type { CurrentSettings } from '../query-settings.js';
import { startQuery } from '../start-query.js';
import { mongodb } from './system.js';

/** The message of mongoose about an operation. */
interface OperationMessage extends ChannelMessage {
  readonly operation?: string;
  readonly collection?: string;
  readonly database?: string;
  readonly serverAddress?: string;
  readonly serverPort?: number;
  readonly args?: { readonly docs?: unknown; readonly ops?: unknown };
}

/** The channels of mongoose from 9.7 on. That of the documents of a cursor is left out: its commands have spans already. */
const CHANNELS = [
  'mongoose:query',
  'mongoose:aggregate',
  'mongoose:model:save',
  'mongoose:model:insertMany',
  'mongoose:model:bulkWrite',
];

/** Traces the operations of mongoose. Those in hooks, and the queries that populate documents, are below the operation that needs them. */
export function subscribeMongoose(settings: CurrentSettings): () => void {
  const undos = CHANNELS.map((name) =>
    followTracingChannel(name, (message: OperationMessage, caller: Context): ChannelCall | undefined => {
      const current = settings();
      if (!current) return undefined;
      const { args, collection, database, operation, serverAddress, serverPort } = message;
      const query = {
        system: mongodb,
        operation,
        collection,
        namespace: database,
        address: serverAddress,
        port: serverPort,
        batchSize: batchSizeOf(args?.docs ?? args?.ops),
      };
      return startQuery(query, current, { caller, layer: 'mongoose' });
    }),
  );
  return () => {
    for (const undo of undos) undo();
  };
}

/** Returns the number of documents or operations that are sent as one. A single one is no batch. */
export function batchSizeOf(list: unknown): number | undefined {
  return Array.isArray(list) && list.length !== 1 ? list.length : undefined;
}
