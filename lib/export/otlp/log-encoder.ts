import { Buffer } from 'node:buffer';
import type { OtlpProtocol } from '../../options/otlp-signal.js';
import type { MessageEncoder } from './encoded-span.js';

/** Turns log records into a message. A serializer of the SDK is one. */
interface LogSerializer<LogRecord> {
  serializeRequest(records: LogRecord[]): Uint8Array | undefined;
}

/** The serializers of the SDK. Log records are few beside spans, so they need none of the library's own. */
export interface LogSerializers<LogRecord> {
  readonly JsonLogsSerializer: LogSerializer<LogRecord>;
  readonly ProtobufLogsSerializer: LogSerializer<LogRecord>;
}

/** Encodes log records. */
export class LogEncoder<LogRecord> implements MessageEncoder<LogRecord> {
  readonly contentType: string;
  private readonly serializer: LogSerializer<LogRecord>;

  constructor(protocol: OtlpProtocol, { JsonLogsSerializer, ProtobufLogsSerializer }: LogSerializers<LogRecord>) {
    const isJson = protocol === 'http/json';
    this.contentType = isJson ? 'application/json' : 'application/x-protobuf';
    this.serializer = isJson ? JsonLogsSerializer : ProtobufLogsSerializer;
  }

  encodeRequest(records: readonly LogRecord[]): Buffer {
    const message = this.serializer.serializeRequest([...records]);
    if (!message) throw new Error('the log records cannot be encoded');
    return Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  }
}
