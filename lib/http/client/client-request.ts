import { context, propagation, type Context } from '@opentelemetry/api';
import { guarded } from '../../core/diagnostics.js';
import type { OperationMeter } from '../../core/operation-meter.js';
import { OutgoingOperation } from '../../core/outgoing-operation.js';
import { isTracingSuppressed } from '../../core/suppression.js';
import type { ResolvedHttpClient } from '../../options/http-client.js';
import { httpSpanName } from '../method.js';
import type { Connection } from './attributes.js';
import { carriedContexts, ownerOf, rememberInjected, type Carried } from './carried-context.js';
import { isCancellation } from './failure.js';
import { Handoff } from './handoff.js';
import type { Headers, IncomingAnswer, OutgoingMessage } from './outgoing-message.js';
import { injectContext, removeContext, replaceContext } from './propagation.js';
import { RequestExchange, type RequestEnd } from './request-exchange.js';
import { RequestRules } from './rules.js';

export interface ClientRequestOptions extends ResolvedHttpClient {
  /** Whether the sampler looks at attributes: only then are they worked out before it decides. */
  readonly samplerReadsAttributes: boolean;
  /** Undefined where nothing is measured. */
  readonly meter: OperationMeter | undefined;
}

/** One outgoing HTTP request. Redirects and retries are requests of their own. */
export class ClientRequest {
  private static readonly prepared = new Handoff<ClientRequest>();

  private readonly outgoing: OutgoingOperation<RequestEnd>;
  /** Undefined once the request is over: whatever keeps this object keeps neither the message nor its answer. */
  private exchange: RequestExchange | undefined;

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
    message: OutgoingMessage,
    rules: RequestRules,
    private readonly options: ClientRequestOptions,
    caller?: Context,
  ) {
    const exchange = new RequestExchange(message, rules, options);
    this.exchange = exchange;
    this.outgoing = caller
      ? startSpan(exchange, options, caller)
      : OutgoingOperation.measureOnly(exchange, options.meter);
  }

  /** Has the message carry the context of its span. */
  private propagate(owner: Carried): void {
    const { exchange, outgoing } = this;
    if (exchange) guarded('The propagator', () => propagate(exchange.message, exchange.rules, owner, outgoing.context));
    rememberInjected(outgoing.context);
  }

  /** The request that was prepared is sent, as this message. */
  private send(message: OutgoingMessage): this {
    this.exchange?.replaceMessage(message, new RequestRules(message, this.options));
    return this.measure();
  }

  private measure(): this {
    const { exchange } = this;
    if (exchange) this.outgoing.measure(() => exchange.activeAttributes());
    return this;
  }

  /** The request is ready to be sent. Since it was started the application may have given it the headers of its caller. */
  ready(): void {
    const { exchange, outgoing } = this;
    if (exchange && !outgoing.isMeasuredOnly) guarded('The propagator', () => correctContext(exchange, outgoing));
  }

  /** The request has a connection to go over. */
  connected(connection: () => Connection): void {
    const { exchange, outgoing } = this;
    if (exchange && !outgoing.isOver) exchange.connection = { ...exchange.connection, ...connection() };
  }

  /** The head of an answer has come. */
  answered(answer: IncomingAnswer): void {
    if (this.exchange) this.exchange.answer = answer;
  }

  /** The request is over, and the whole answer has come. */
  complete(): void {
    this.end('complete');
  }

  /** The request is over, because its own caller gave up. */
  cancel(): void {
    this.end('cancelled');
  }

  /** The request is over, because of an error. */
  fail(error: unknown): void {
    this.end(isCancellation(error) ? 'cancelled' : { error });
  }

  private end(end: RequestEnd): void {
    this.exchange = undefined;
    this.outgoing.end(end);
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

function startSpan(
  exchange: RequestExchange,
  { knownMethods, meter, samplerReadsAttributes }: ClientRequestOptions,
  parent: Context,
): OutgoingOperation<RequestEnd> {
  const attributes = samplerReadsAttributes
    ? guarded('http.client attributes', () => exchange.requestAttributes())
    : undefined;
  const name = httpSpanName(exchange.message.method, knownMethods);
  return OutgoingOperation.start(name, exchange, { attributes, meter, parent });
}

function correctContext(
  { message, rules }: RequestExchange,
  { context: own, span }: OutgoingOperation<RequestEnd>,
): void {
  const { spanId } = span.spanContext();
  const isIn = (field: string) => message.header(field)?.includes(spanId);
  if (propagation.fields().some(isIn)) return;
  const owner = ownerOf(carriedContexts(message), own);
  if (owner === 'caller' || owner === 'earlier request') propagate(message, rules, owner, own);
}
