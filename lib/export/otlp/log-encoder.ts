import { Buffer } from 'node:buffer';
import type { OtlpProtocol } from '../../options/otlp-signal.js';
import type { ReadableSpan } from '../../options/sdk-types.js';
import { attributesSize, BYTES_PER_SPAN, textSize, valueSize } from '../../tracer/estimated-size.js';
import type { MessageEncoder } from './encoded-span.js';

/** A log record of the SDK, as far as the library reads it. */
export interface ReadableLogRecord {
  readonly resource: ReadableSpan['resource'];
  readonly eventName?: string | undefined;
  readonly body?: unknown;
  readonly attributes: object;
}

/** A log record that waits for its export. */
export interface WaitingLogRecord {
  readonly record: ReadableLogRecord;
  readonly resource: ReadableSpan['resource'];
  readonly estimatedSize: number;
}

/** Turns log records into a message. A serializer of the SDK is one. */
interface LogSerializer {
  serializeRequest(records: ReadableLogRecord[]): Uint8Array | undefined;
}

/** The serializers of the SDK. Log records are few beside spans, so they need none of the library's own. */
export interface LogSerializers {
  readonly JsonLogsSerializer: LogSerializer;
  readonly ProtobufLogsSerializer: LogSerializer;
}

/** Encodes log records. */
export class LogEncoder implements MessageEncoder<WaitingLogRecord> {
  readonly contentType: string;
  private readonly serializer: LogSerializer;

  constructor(protocol: OtlpProtocol, { JsonLogsSerializer, ProtobufLogsSerializer }: LogSerializers) {
    const isJson = protocol === 'http/json';
    this.contentType = isJson ? 'application/json' : 'application/x-protobuf';
    this.serializer = isJson ? JsonLogsSerializer : ProtobufLogsSerializer;
  }

  /** @throws if the record has a getter that throws */
  prepare(record: ReadableLogRecord): WaitingLogRecord {
    const { attributes, body, eventName, resource } = record;
    const estimatedSize = BYTES_PER_SPAN + textSize(eventName) + valueSize(body) + attributesSize(attributes);
    return { record, resource, estimatedSize };
  }

  encodeRequest(waiting: readonly WaitingLogRecord[]): Buffer {
    const message = this.serializer.serializeRequest(waiting.map(({ record }) => record));
    if (!message) throw new Error('the log records cannot be encoded');
    return Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  }
}
