import {
  context as contextApi,
  createContextKey,
  SpanStatusCode,
  type Attributes,
  type Context,
} from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { CANCELLED as CANCELLED_OUTCOME, RETURNED, type CallOutcome } from '../../core/incoming-work.js';
import { ATTR_BATCH_MESSAGE_COUNT } from '../../core/messaging-conventions.js';
import type { Exchange } from '../../core/exchange-operation.js';
import type { Operation } from '../../core/operation.js';
import type { OperationMeter } from '../../core/operation-meter.js';
import { OutgoingOperation } from '../../core/outgoing-operation.js';
import { suppressTracing } from '../../core/suppression.js';
import type { Work } from '../../core/work.js';
import {
  activeAttributes,
  CANCELLED,
  measuredAttributes,
  messageAttributes,
  spanKindOf,
  spanNameOf,
  type MessageDescription,
} from '../conventions.js';
import type { ClientWire, TraceHeaders } from './client-wire.js';
import type { MessageClient } from './message-client.js';

const OUTGOING = createContextKey('nestjs-tracing outgoing message');

/** A message that the application sends, with what its client is known by. */
export interface SentMessage extends MessageDescription {
  /** The attributes of the server that the client sends to. */
  readonly address: Attributes;
  readonly client: MessageClient;
  /** Undefined for a client of the application's own. */
  readonly wire: ClientWire | undefined;
  /** The number of messages of a batch. Undefined for a single message. */
  readonly batchSize: number | undefined;
}

/** One message that the application sends: a request until its answers are complete, or an event until it is handed over. */
export class OutgoingMessage implements Exchange<CallOutcome>, Work {
  readonly outgoing: OutgoingOperation<CallOutcome>;
  /**
   * The context in which the client prepares the message. The active span is still that of the caller: what the client keeps, and the
   * caller's code that it calls, is not below the span of the message.
   */
  readonly context: Context;

  /** Returns the message that is being sent in the active context. */
  static active(): OutgoingMessage | undefined {
    return contextApi.active().getValue(OUTGOING) as OutgoingMessage | undefined;
  }

  constructor(
    readonly message: SentMessage,
    meter: OperationMeter | undefined,
  ) {
    const { address, batchSize, type } = message;
    const attributes = { ...messageAttributes(message), ...address };
    if (batchSize !== undefined) attributes[ATTR_BATCH_MESSAGE_COUNT] = batchSize;
    this.outgoing = OutgoingOperation.start(spanNameOf(message), this, {
      kind: spanKindOf(message),
      attributes,
      meter,
    });
    this.outgoing.measure(() => (type === 'request' ? activeAttributes(message) : {}));
    this.context = contextApi.active().setValue(OUTGOING, this);
  }

  /** Returns the trace context of the message, as the headers that carry it. */
  get headers(): TraceHeaders {
    const headers: Record<string, string> = {};
    this.outgoing.inject(headers, { set: (carrier, key, value) => (carrier[key] = value) });
    return headers;
  }

  /** The context in which the message is handed to the driver, whose own calls are no spans: the span of the message stands for them. */
  get sendingContext(): Context {
    return suppressTracing(this.outgoing.context).setValue(OUTGOING, this);
  }

  /** The time before the subscription belongs to the caller, who has not sent anything. */
  restart(): void {}

  succeed(): void {
    this.outgoing.end(RETURNED);
  }

  complete(): void {
    this.outgoing.end(RETURNED);
  }

  fail(thrown: unknown): void {
    this.outgoing.end({ type: 'failed', thrown });
  }

  cancel(): void {
    this.outgoing.end(CANCELLED_OUTCOME);
  }

  describeEnd(operation: Operation, outcome: CallOutcome): void {
    if (outcome.type === 'failed') operation.fail(outcome.thrown);
    if (outcome.type !== 'cancelled') return;
    operation.span.setAttribute(ATTR_ERROR_TYPE, CANCELLED);
    const message = 'The caller has unsubscribed before there was an answer, because of a timeout for example.';
    operation.span.setStatus({ code: SpanStatusCode.ERROR, message });
  }

  measuredAttributes(outcome: CallOutcome): Attributes {
    const { address, type } = this.message;
    return { ...measuredAttributes(this.message, outcome), ...(type === 'request' && address) };
  }
}
