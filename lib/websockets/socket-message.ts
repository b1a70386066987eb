import { ROOT_CONTEXT, type Attributes } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { definedAttributes } from '../core/defined-attributes.js';
import { errorType } from '../core/exception.js';
import { IncomingOperation, type IncomingExchange } from '../core/incoming-operation.js';
import { IncomingWork, type CallOutcome } from '../core/incoming-work.js';
import { isObject } from '../core/is-object.js';
import type { Operation } from '../core/operation.js';
import {
  ATTR_ACK_REQUESTED,
  ATTR_ANSWERS,
  ATTR_EVENT,
  ATTR_NAMESPACE,
  ATTR_PROTOCOL,
  clientAttributes,
} from './attributes.js';
import { messageCarrier, messageGetter } from './message-carrier.js';
import { readClient, type SocketClient } from './socket-client.js';
import { isIgnored, placeMessage, type SocketTracing } from './tracing.js';

/** One message of a WebSocket client, from its arrival to its last answer. */
export class SocketMessage implements IncomingExchange<CallOutcome> {
  readonly incoming: IncomingOperation<CallOutcome>;
  private readonly client: SocketClient;
  private answers = 0;
  /** The last exception that Nest has passed to the filters of the gateway. They turn it into an answer, or drop it. */
  private filtered: { readonly thrown: unknown } | undefined;

  /**
   * @param event the event of the handler, which is a text of the application and not of the client
   * @param args the arguments of the handler: the data, and for Socket.IO the function that acknowledges the message
   */
  constructor(
    private readonly event: string,
    client: unknown,
    private readonly args: readonly unknown[],
    private readonly tracing: SocketTracing,
  ) {
    this.client = readClient(client);
    const message = { event, data: args[0], client };
    const { meter } = tracing;
    if (isIgnored(message, tracing)) {
      this.incoming = IncomingOperation.ignore(ROOT_CONTEXT, meter);
      return;
    }
    const carrier = messageCarrier(message, tracing.carrier);
    this.incoming = IncomingOperation.start(tracing.namespaces.spanName(this.client.namespace, event), this, {
      attributes: { ...clientAttributes(this.client), [ATTR_EVENT]: event },
      meter,
      placement: placeMessage(message, carrier, messageGetter, tracing),
    });
    this.incoming.measure(() => ({}));
  }

  /** Notes the exception, which decides about the outcome: the handler's promise is fulfilled even if there was one. */
  isExceptionRecorded(thrown: unknown): boolean {
    this.filtered = { thrown };
    return true;
  }

  /** Counts what the adapter sends as an answer: everything but null and undefined. */
  countAnswer(value: unknown): void {
    if (value !== null && value !== undefined) this.answers++;
  }

  describeEnd(operation: Operation, outcome: CallOutcome): void {
    operation.span.setAttributes({
      [ATTR_ANSWERS]: this.answers,
      ...(typeof this.args[1] === 'function' && { [ATTR_ACK_REQUESTED]: true }),
    });
    const failure = this.failure(outcome);
    if (failure) operation.fail(failure.thrown);
  }

  measuredAttributes(outcome: CallOutcome): Attributes {
    const { client, event, tracing } = this;
    const failure = this.failure(outcome);
    return definedAttributes({
      [ATTR_PROTOCOL]: client.protocol,
      [ATTR_NAMESPACE]: tracing.namespaces.metricValue(client.namespace),
      [ATTR_EVENT]: event,
      [ATTR_ERROR_TYPE]: failure && errorType(failure.thrown),
    });
  }

  /** Returns the exception because of which the message has failed. Undefined for one with which the application rejects a message. */
  private failure(outcome: CallOutcome): { readonly thrown: unknown } | undefined {
    const failure = outcome.type === 'failed' ? outcome : this.filtered;
    return failure && isRejection(failure.thrown) ? undefined : failure;
  }
}

/** True for Nest's `WsException`: the application answers the client with it, as it does with a status below 500 over HTTP. */
function isRejection(thrown: unknown): boolean {
  return isObject(thrown) && 'getError' in thrown && typeof thrown.getError === 'function';
}

/** The call of the handler of a message. */
export class MessageWork extends IncomingWork {
  private isStream = false;

  constructor(private readonly message: SocketMessage) {
    super(message.incoming);
  }

  receive(value: unknown): void {
    this.isStream = true;
    this.message.countAnswer(value);
  }

  override succeed(result?: unknown): void {
    if (!this.isStream) this.message.countAnswer(result);
    super.succeed();
  }
}
