import { context, propagation, type Context } from '@opentelemetry/api';
import { callSafely } from '../../core/diagnostics.js';
import type { OperationMeter } from '../../core/operation-meter.js';
import { OutgoingOperation } from '../../core/outgoing-operation.js';
import { isQueryOverHttp } from '../../core/query-span.js';
import { isTracingSuppressed } from '../../core/suppression.js';
import type { ResolvedHttpClient } from '../../options/http-client.js';
import { httpSpanName } from '../method.js';
import type { Connection } from './attributes.js';
import { carriedContexts, contextOwner, rememberInjected, type ContextOwner } from './carried-context.js';
import { isCancellation } from './failure.js';
import { Handoff } from './handoff.js';
import type { Headers, IncomingResponse, OutgoingMessage } from './outgoing-message.js';
import { injectContext, removeContext, replaceContext } from './propagation.js';
import { RequestExchange, type RequestEnd } from './request-exchange.js';
import { RequestRules } from './rules.js';

export interface ClientRequestOptions extends ResolvedHttpClient {
  /** True if attributes have to be there when the span starts. */
  readonly areAttributesReadAtStart: boolean;
  /** Undefined if there are no metrics. */
  readonly meter: OperationMeter | undefined;
}

/** One outgoing HTTP request. Each redirect and each retry is a request of its own. */
export class ClientRequest {
  private static readonly prepared = new Handoff<ClientRequest>();

  private readonly outgoing: OutgoingOperation<RequestEnd>;
  /** Undefined after the end of the request, so that message and response can be collected. */
  private exchange: RequestExchange | undefined;

  /**
   * Starts to trace a request that is being sent, and injects its trace context. Returns undefined if the request is not traced.
   * A request that already has a span of another instrumentation, or that is the query of a database with a span, is only measured.
   */
  static start(
    message: OutgoingMessage,
    options: ClientRequestOptions,
    caller: Context = context.active(),
  ): ClientRequest | undefined {
    if (isTracingSuppressed(caller)) return undefined;
    const carried = callSafely('The propagator', () => carriedContexts(message)) ?? [];
    const prepared = ClientRequest.prepared.take(carried);
    if (prepared) return prepared.send(message);
    const owner = contextOwner(carried, caller);
    const rules = new RequestRules(message, options);
    if (owner === 'foreign') return ClientRequest.measureOnly(message, rules, options);
    if (rules.isIgnored) {
      if (owner === 'earlier request') callSafely('The propagator', () => removeContext(message));
      return undefined;
    }
    if (isQueryOverHttp(caller)) {
      if (owner !== 'active span') callSafely('The propagator', () => propagate(message, rules, owner, caller));
      return ClientRequest.measureOnly(message, rules, options);
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
    if (!options.meter || options.meter.isShared || rules.isIgnored) return undefined;
    return new ClientRequest(message, rules, options).measure();
  }

  /**
   * Starts the span of a request that its client is about to send, and injects its context into the headers of the client: when
   * the request itself is announced, that is no longer possible. Does nothing if the headers have to stay as they are. The
   * request is then traced when it is sent.
   *
   * @param holder the client's own object for the request, which lives until the request is sent; without a holder, the active
   * context is injected and no span is started
   */
  static prepare(message: OutgoingMessage, options: ClientRequestOptions, holder?: object): void {
    const caller = context.active();
    if (isTracingSuppressed(caller)) return;
    const owner = contextOwner(carriedContexts(message), caller);
    if (owner === 'foreign' || owner === 'active span') return;
    const rules = new RequestRules(message, options);
    if (rules.isIgnored) {
      if (owner === 'earlier request') removeContext(message);
    } else if (!holder || !rules.allowsPropagation || isQueryOverHttp(caller)) {
      propagate(message, rules, owner, caller);
    } else {
      ClientRequest.prepareSpan(message, rules, owner, options, caller, holder);
    }
  }

  private static prepareSpan(
    message: OutgoingMessage,
    rules: RequestRules,
    owner: ContextOwner,
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
    // The propagator cannot read the context that it has injected, so the request could not be recognized later.
    request.outgoing.discard();
    replaceContext(message, caller);
  }

  /** @param caller the context of the request; undefined if it gets no span */
  private constructor(
    message: OutgoingMessage,
    rules: RequestRules,
    private readonly options: ClientRequestOptions,
    caller?: Context,
  ) {
    const exchange = new RequestExchange(message, rules, options);
    this.exchange = exchange;
    this.outgoing = caller
      ? startOperation(exchange, options, caller)
      : OutgoingOperation.measureOnly(exchange, options.meter);
  }

  /** Injects the context of the span into the message. */
  private propagate(owner: ContextOwner): void {
    const { exchange, outgoing } = this;
    if (exchange)
      callSafely('The propagator', () => propagate(exchange.message, exchange.rules, owner, outgoing.context));
    rememberInjected(outgoing.context);
  }

  /** Called when a prepared request is sent as this message. */
  private send(message: OutgoingMessage): this {
    this.exchange?.replaceMessage(message, new RequestRules(message, this.options));
    return this.measure();
  }

  private measure(): this {
    const { exchange } = this;
    if (exchange) this.outgoing.measure(() => exchange.activeAttributes());
    return this;
  }

  /** Called before the head is sent. Meanwhile the application may have set the headers of its own caller. */
  beforeHead(): void {
    const { exchange, outgoing } = this;
    if (exchange && !outgoing.isMeasuredOnly) callSafely('The propagator', () => correctContext(exchange, outgoing));
  }

  /** Called when the request has a connection. */
  setConnection(connection: () => Connection): void {
    const { exchange, outgoing } = this;
    if (exchange && !outgoing.isOver) exchange.connection = { ...exchange.connection, ...connection() };
  }

  /** Called when the head of the response was received. */
  receiveHead(response: IncomingResponse): void {
    if (this.exchange) this.exchange.response = response;
  }

  /** Ends the request after the whole response was received. */
  complete(): void {
    this.end('complete');
  }

  /** Ends the request because the application has cancelled it. */
  cancel(): void {
    this.end('cancelled');
  }

  /** Ends the request because of an error. */
  fail(error: unknown): void {
    this.end(isCancellation(error) ? 'cancelled' : { error });
  }

  private end(end: RequestEnd): void {
    this.exchange = undefined;
    this.outgoing.end(end);
  }
}

/** Injects a context in place of an outdated one. If the rules forbid propagation, the outdated one is only removed. */
function propagate(message: Headers, rules: RequestRules, owner: ContextOwner, own: Context): void {
  if (!rules.allowsPropagation) {
    if (owner !== 'none') removeContext(message);
    return;
  }
  if (owner === 'none') injectContext(message, own);
  else replaceContext(message, own);
}

function startOperation(
  exchange: RequestExchange,
  { knownMethods, meter, areAttributesReadAtStart }: ClientRequestOptions,
  parent: Context,
): OutgoingOperation<RequestEnd> {
  const attributes = areAttributesReadAtStart
    ? callSafely('http.client attributes', () => exchange.startAttributes())
    : undefined;
  const name = httpSpanName(exchange.message.method, knownMethods);
  return OutgoingOperation.start(name, exchange, { attributes, meter, parent });
}

function correctContext(
  { message, rules }: RequestExchange,
  { context: own, span }: OutgoingOperation<RequestEnd>,
): void {
  const { spanId } = span.spanContext();
  const isInField = (field: string) => message.header(field)?.includes(spanId);
  if (propagation.fields().some(isInField)) return;
  const owner = contextOwner(carriedContexts(message), own);
  if (owner === 'caller' || owner === 'earlier request') propagate(message, rules, owner, own);
}
