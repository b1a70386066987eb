import type { Span } from '@opentelemetry/api';
import type { MethodDefinition } from './grpc-js.js';

/** Notes each message of a stream as an event of the call's span. The conventions want none for unary calls. */
export class MessageEvents {
  private sent = 0;
  private received = 0;

  static of({ requestStream, responseStream }: MethodDefinition, span: Span): MessageEvents | undefined {
    return requestStream || responseStream ? new MessageEvents(span) : undefined;
  }

  private constructor(private readonly span: Span) {}

  messageSent(): void {
    this.add('SENT', ++this.sent);
  }

  messageReceived(): void {
    this.add('RECEIVED', ++this.received);
  }

  private add(type: 'SENT' | 'RECEIVED', id: number): void {
    this.span.addEvent('rpc.message', { 'rpc.message.type': type, 'rpc.message.id': id });
  }
}
