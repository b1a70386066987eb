import type { Span } from '@opentelemetry/api';
import type { MethodDefinition } from './grpc-js.js';

/** Records each message of a stream as an event of the call's span. The semantic conventions define no such events for unary calls. */
export class MessageEvents {
  private sent = 0;
  private received = 0;

  /** Undefined for a unary call. */
  static of({ requestStream, responseStream }: MethodDefinition, span: Span): MessageEvents | undefined {
    return requestStream || responseStream ? new MessageEvents(span) : undefined;
  }

  private constructor(private readonly span: Span) {}

  recordSent(): void {
    this.add('SENT', ++this.sent);
  }

  recordReceived(): void {
    this.add('RECEIVED', ++this.received);
  }

  private add(type: 'SENT' | 'RECEIVED', id: number): void {
    this.span.addEvent('rpc.message', { 'rpc.message.type': type, 'rpc.message.id': id });
  }
}
