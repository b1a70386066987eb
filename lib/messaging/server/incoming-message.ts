import { context, ROOT_CONTEXT, SpanStatusCode, type Attributes, type Context } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { evaluatePredicate } from '../../core/diagnostics.js';
import { IncomingOperation, type IncomingExchange } from '../../core/incoming-operation.js';
import { CANCELLED, RETURNED, type CallOutcome } from '../../core/incoming-work.js';
import type { Operation } from '../../core/operation.js';
import type { OperationMeter } from '../../core/operation-meter.js';
import { isCallerTrusted, resolveLink, resolvePlacement, type SpanPlacement } from '../../core/span-placement.js';
import type { Work } from '../../core/work.js';
import type { ResolvedMessaging } from '../../options/messaging.js';
import {
  activeAttributes,
  measuredAttributes,
  messageAttributes,
  spanKindOf,
  spanNameOf,
  UNMATCHED,
} from '../conventions.js';
import { headersGetter } from '../record-carrier.js';
import { CUSTOM } from '../transports.js';
import { otherSpanFor } from './other-span.js';
import type { ReceivedMessage } from './received-message.js';

export interface ServerSettings extends ResolvedMessaging {
  /** Undefined if the application measures nothing. */
  readonly meterOf: (type: ReceivedMessage['type']) => OperationMeter | undefined;
  /** The messages that are being handled. */
  readonly open: Set<IncomingMessage>;
}

/** One message that the application handles, from the call of its handler to the end of the result. */
export class IncomingMessage implements IncomingExchange<CallOutcome>, Work {
  /** Nest only subscribes to the Observable that a handler returns. */
  readonly followsSubjects = true;
  /** An event may have handlers in several controllers. */
  readonly hasSeveralHandlers: boolean;
  private readonly incoming: IncomingOperation<CallOutcome>;
  readonly rpcContext: unknown;
  /** The exception before Nest or a filter has turned it into an answer. */
  private exception: { readonly thrown: unknown } | undefined;

  /** Returns the message that is handled in the active context. */
  static active(): IncomingMessage | undefined {
    const exchange = IncomingOperation.active()?.exchange;
    return exchange instanceof IncomingMessage ? exchange : undefined;
  }

  /** @param outer the context in which the driver has delivered the message */
  constructor(
    private readonly message: ReceivedMessage,
    private readonly settings: ServerSettings,
    outer: Context,
  ) {
    this.rpcContext = message.rpcContext;
    this.hasSeveralHandlers = message.type === 'event';
    const meter = settings.meterOf(message.type);
    const isIgnored = evaluatePredicate('messaging.ignore', () => settings.ignore(message)) ?? false;
    this.incoming = isIgnored ? IncomingOperation.ignore(ROOT_CONTEXT, meter) : this.start(meter, outer);
    if (this.incoming.isOver) return;
    if (message.type === 'request') this.incoming.measure(() => activeAttributes(message));
    else this.incoming.measure(() => ({}));
    settings.open.add(this);
  }

  private start(meter: OperationMeter | undefined, outer: Context): IncomingOperation<CallOutcome> {
    const { message } = this;
    const placement = this.place();
    const attributes = { ...messageAttributes(message), ...message.attributes };
    const other = otherSpanFor(outer, placement.caller);
    if (other) {
      const joined = context.with(outer, () =>
        IncomingOperation.join(other, this, { caller: placement.caller, meter }),
      );
      joined.describe('messaging attributes', () => attributes);
      return joined;
    }
    return IncomingOperation.start(spanNameOf(message), this, {
      kind: spanKindOf(message),
      placement,
      attributes,
      meter,
    });
  }

  private place(): SpanPlacement {
    const { message, settings } = this;
    const { headers, transport, type } = message;
    const isTrusted = isCallerTrusted('messaging.trustIncoming', settings.trustIncoming, message);
    const place = type === 'event' && settings.events === 'link' ? resolveLink : resolvePlacement;
    // A transport of the application may have activated the context of the sender by itself.
    const parent = transport === CUSTOM && !headers ? context.active() : ROOT_CONTEXT;
    return place(parent, headers, headersGetter, isTrusted);
  }

  onException(thrown: unknown): void {
    this.exception = { thrown };
  }

  get context(): Context {
    return this.incoming.context;
  }

  /** The message has arrived before its handler returned a cold Observable. */
  restart(): void {}

  succeed(): void {
    this.end(RETURNED);
  }

  complete(): void {
    this.end(RETURNED);
  }

  fail(thrown: unknown): void {
    this.end({ type: 'failed', thrown: (this.exception ?? { thrown }).thrown });
  }

  cancel(): void {
    this.end(CANCELLED);
  }

  private end(outcome: CallOutcome): void {
    this.settings.open.delete(this);
    this.incoming.end(outcome);
  }

  describeEnd(operation: Operation, outcome: CallOutcome): void {
    if (outcome.type === 'failed') operation.fail(outcome.thrown);
    else if (!this.message.isMatched) {
      operation.span.setAttribute(ATTR_ERROR_TYPE, UNMATCHED);
      operation.span.setStatus({ code: SpanStatusCode.ERROR, message: 'There is no handler for the pattern.' });
    }
  }

  measuredAttributes(outcome: CallOutcome): Attributes {
    return measuredAttributes(this.message, outcome);
  }
}
