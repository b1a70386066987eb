import { context, propagation, SpanStatusCode, type Attributes, type Context } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_HEADER,
  ATTR_HTTP_RESPONSE_HEADER,
} from '@opentelemetry/semantic-conventions';
import { guarded } from '../../core/diagnostics.js';
import { headerAttributes } from '../../core/header-attributes.js';
import type { Exchange } from '../../core/exchange-operation.js';
import type { Operation } from '../../core/operation.js';
import type { OperationMeter } from '../../core/operation-meter.js';
import { OutgoingOperation } from '../../core/outgoing-operation.js';
import { isTracingSuppressed } from '../../core/suppression.js';
import type { ResolvedHttpClient } from '../../options/resolved-options.js';
import { httpSpanName } from '../method.js';
import {
  activeAttributes,
  answerAttributes,
  isErrorStatus,
  outcomeAttributes,
  requestAttributes,
  type Connection,
} from './attributes.js';
import { carriedContexts, ownerOf, rememberInjected, type Carried } from './carried-context.js';
import { failureType, isCancellation, isRefusedAnswer } from './failure.js';
import { Handoff } from './handoff.js';
import type { Headers, IncomingAnswer, OutgoingMessage } from './outgoing-message.js';
import { injectContext, removeContext, replaceContext } from './propagation.js';
import { RequestRules } from './rules.js';

export interface ClientRequestOptions extends ResolvedHttpClient {
  /** Whether the sampler looks at attributes: only then are they worked out before it decides. */
  readonly samplerReadsAttributes: boolean;
  /** Undefined where nothing is measured. */
  readonly meter: OperationMeter | undefined;
}

/** How a request ended: with a whole answer, because its own caller gave up, or with an error. */
type RequestEnd = 'complete' | 'cancelled' | { readonly error: unknown };

/** One outgoing HTTP request. Redirects and retries are requests of their own. */
export class ClientRequest implements Exchange<RequestEnd> {
  private static readonly prepared = new Handoff<ClientRequest>();

  private readonly outgoing: OutgoingOperation<RequestEnd>;
  private rules: RequestRules;
  private answer: IncomingAnswer | undefined;
  private connection: Connection | undefined;

  /**
   * Starts to trace a request that is being sent, and has it carry its trace context. Returns undefined if it is to be left alone.
   * A request that another instrumentation has a span for is only measured.
   */
  static start(
    message: OutgoingMessage,
    options: ClientRequestOptions,
    caller: Context = context.active(),
  ): ClientRequest | undefined {
    if (isTracingSuppressed(caller)) return undefined;
    const carried = guarded('The propagator', () => carriedContexts(message)) ?? [];
    const prepared = ClientRequest.prepared.take(carried);
    if (prepared) return prepared.send(message);
    const owner = ownerOf(carried, caller);
    const rules = new RequestRules(message, options);
    if (owner === 'foreign') return ClientRequest.measureOnly(message, rules, options);
    if (rules.ignored) {
      if (owner === 'earlier request') guarded('The propagator', () => removeContext(message));
      return undefined;
    }
    const request = new ClientRequest(message, rules, options, caller);
    if (owner !== 'active span') request.propagate(owner);
    return request.measure();
  }

  /** Another instrumentation has a span for the request. It also measures it, if the metrics are the same. */
  private static measureOnly(
    message: OutgoingMessage,
    rules: RequestRules,
    options: ClientRequestOptions,
  ): ClientRequest | undefined {
    if (!options.meter || options.meter.shared || rules.ignored) return undefined;
    return new ClientRequest(message, rules, options).measure();
  }

  /**
   * Makes the span of a request that its client is about to send, and writes its context into the headers that the client
   * will send, where the request itself comes too late for that. Does nothing where these are to stay as they are: the
   * request is then traced when it is sent.
   *
   * @param holder the client's own object for the request, which lives until it is sent; without one the request carries the
   * context that is active
   */
  static prepare(message: OutgoingMessage, options: ClientRequestOptions, holder?: object): void {
    const caller = context.active();
    if (isTracingSuppressed(caller)) return;
    const owner = ownerOf(carriedContexts(message), caller);
    if (owner === 'foreign' || owner === 'active span') return;
    const rules = new RequestRules(message, options);
    if (rules.ignored) {
      if (owner === 'earlier request') removeContext(message);
    } else if (!holder || !rules.propagates) {
      propagate(message, rules, owner, caller);
    } else {
      ClientRequest.prepareSpan(message, rules, owner, options, caller, holder);
    }
  }

  private static prepareSpan(
    message: OutgoingMessage,
    rules: RequestRules,
    owner: Carried,
    options: ClientRequestOptions,
    caller: Context,
    holder: object,
  ): void {
    const request = new ClientRequest(message, rules, options, caller);
    request.propagate(owner);
    const { spanId } = request.outgoing.span.spanContext();
    if (carriedContexts(message).some((carried) => carried.spanId === spanId)) {
      ClientRequest.prepared.put(spanId, request, holder);
      return;
    }
    // If a propagator cannot read what it has written, there is no way to recognise the request later.
    request.outgoing.discard();
    replaceContext(message, caller);
  }

  /** @param caller the context of the request; undefined if it gets no span */
  private constructor(
    private message: OutgoingMessage,
    rules: RequestRules,
    private readonly options: ClientRequestOptions,
    caller?: Context,
  ) {
    this.rules = rules;
    this.outgoing = caller ? this.startSpan(caller) : OutgoingOperation.measureOnly(this, options.meter);
  }

  private startSpan(parent: Context): OutgoingOperation<RequestEnd> {
    const { message, options } = this;
    const { knownMethods, meter, samplerReadsAttributes } = options;
    const attributes = samplerReadsAttributes
      ? guarded('http.client attributes', () => this.requestAttributes())
      : undefined;
    return OutgoingOperation.start(httpSpanName(message.method, knownMethods), this, { attributes, meter, parent });
  }

  /** Has the message carry the context of its span. */
  private propagate(owner: Carried): void {
    const { message, outgoing, rules } = this;
    guarded('The propagator', () => propagate(message, rules, owner, outgoing.context));
    rememberInjected(outgoing.context);
  }

  /** The request that was prepared is sent, as this message. */
  private send(message: OutgoingMessage): this {
    this.message = message;
    this.rules = new RequestRules(message, this.options);
    return this.measure();
  }

  private measure(): this {
    const { message, options, outgoing, rules } = this;
    outgoing.measure(() => activeAttributes(message, rules.destination, options.knownMethods));
    return this;
  }

  /** The request is ready to be sent. Since it was started the application may have given it the headers of its caller. */
  ready(): void {
    if (this.outgoing.isMeasuredOnly) return;
    guarded('The propagator', () => this.correctContext());
  }

  private correctContext(): void {
    const { message, outgoing, rules } = this;
    const { spanId } = outgoing.span.spanContext();
    const isIn = (field: string) => message.header(field)?.includes(spanId);
    if (propagation.fields().some(isIn)) return;
    const owner = ownerOf(carriedContexts(message), outgoing.context);
    if (owner === 'caller' || owner === 'earlier request') propagate(message, rules, owner, outgoing.context);
  }

  /** The request has a connection to go over. */
  connected(connection: () => Connection): void {
    if (!this.outgoing.isOver) this.connection = { ...this.connection, ...connection() };
  }

  /** The head of an answer has come. */
  answered(answer: IncomingAnswer): void {
    if (!this.outgoing.isOver) this.answer = answer;
  }

  /** The request is over, and the whole answer has come. */
  complete(): void {
    this.outgoing.end('complete');
  }

  /** The request is over, because its own caller gave up. */
  cancel(): void {
    this.outgoing.end('cancelled');
  }

  /** The request is over, because of an error. */
  fail(error: unknown): void {
    this.outgoing.end(isCancellation(error) ? 'cancelled' : { error });
  }

  describeEnd(operation: Operation, end: RequestEnd): void {
    operation.describe('http.client attributes', () => this.attributes());
    const { span } = operation;
    const statusCode = this.answer?.statusCode;
    const hasErrorStatus = isErrorStatus(statusCode);
    // An error that comes after the answer adds its message.
    if (hasErrorStatus) span.setStatus({ code: SpanStatusCode.ERROR });
    if (end === 'cancelled') span.addEvent('request cancelled');
    // The status says everything about an answer that the client refuses for its status.
    else if (end !== 'complete' && !(hasErrorStatus && isRefusedAnswer(end.error))) {
      operation.fail(end.error);
      span.setAttribute(ATTR_ERROR_TYPE, failureType(end.error));
    }
    if (hasErrorStatus) span.setAttribute(ATTR_ERROR_TYPE, String(statusCode));
  }

  measuredAttributes(end: RequestEnd): Attributes {
    const { answer, connection, message, options, rules } = this;
    const failure = typeof end === 'object' ? failureType(end.error) : undefined;
    return outcomeAttributes(
      message,
      rules.destination,
      answer?.statusCode,
      connection?.protocolVersion,
      failure,
      options.knownMethods,
    );
  }

  private requestAttributes(): Attributes {
    const { message, options, rules } = this;
    return requestAttributes(message, rules.destination, options);
  }

  private attributes(): Attributes {
    const { answer, connection, message, options } = this;
    return {
      ...this.requestAttributes(),
      ...answerAttributes(answer?.statusCode, connection ?? {}),
      ...headerAttributes(options.requestHeaders, ATTR_HTTP_REQUEST_HEADER, (name) => message.header(name)),
      ...headerAttributes(options.responseHeaders, ATTR_HTTP_RESPONSE_HEADER, (name) => answer?.header(name)),
    };
  }
}

/** Has a message carry a context, and no other that is out of date, where the rules let it. */
function propagate(message: Headers, rules: RequestRules, owner: Carried, own: Context): void {
  if (!rules.propagates) {
    if (owner !== 'none') removeContext(message);
    return;
  }
  if (owner === 'none') injectContext(message, own);
  else replaceContext(message, own);
}
