/** The names that a fragment in docs/adding-an-integration.md may use without importing them. */
import type { Attributes } from '@opentelemetry/api';
import type { Exchange } from '../../lib/core/exchange-operation.js';
import type { OperationMeter, OperationMetrics } from '../../lib/core/operation-meter.js';
import type { ChannelMessage } from '../../lib/core/tracing-channel.js';
import type { DataLibrary as KnownLibrary } from '../../lib/data/library.js';
import type { DatabaseSystem } from '../../lib/data/system.js';

export { defaultTextMapGetter, defaultTextMapSetter, ROOT_CONTEXT, SpanStatusCode } from '@opentelemetry/api';
export type { Attributes } from '@opentelemetry/api';
export { IncomingOperation, type IncomingExchange } from '../../lib/core/incoming-operation.js';
export type { Integration } from '../../lib/core/integration.js';
export type { Operation } from '../../lib/core/operation.js';
export { OutgoingOperation } from '../../lib/core/outgoing-operation.js';
export { followTracingChannel } from '../../lib/core/tracing-channel.js';
export { startQuery } from '../../lib/data/start-query.js';
export { isCallerTrusted, resolvePlacement } from '../../lib/core/span-placement.js';

/** A library whose name the options already have. */
export type DataLibrary = Omit<KnownLibrary, 'name'> & { readonly name: 'pigeon' };

/** The options of a transport that the library does not know. */
export interface ResolvedPigeon {
  readonly trustIncoming: (letter: Letter) => boolean;
}
export interface Letter {
  readonly pattern: string;
  readonly headers: object;
}
export interface Reply {
  readonly err?: unknown;
}
export interface PigeonMessage extends ChannelMessage {
  readonly sql: string;
  readonly host: string;
}

export declare const options: ResolvedPigeon;
export declare const meter: OperationMeter | undefined;
export declare const letter: Letter;
export declare const reply: Reply;
export declare const pigeon: DatabaseSystem;
export declare const pigeonMetrics: OperationMetrics;
export declare class SentLetter implements Exchange<Reply> {
  describeEnd(): void;
  measuredAttributes(reply: Reply): Attributes;
}
export declare function deliver(letter: Letter): void;
export declare function send(letter: Letter): void;
export declare function tracePigeonServer(transport: unknown, settings: object): void;
export declare function tracePigeonClients(modules: object, settings: object): void;
