import { context, propagation, SpanKind, SpanStatusCode, type Attributes, type Context } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_HEADER,
  ATTR_HTTP_RESPONSE_HEADER,
} from '@opentelemetry/semantic-conventions';
import { guarded } from '../../core/diagnostics.js';
import { headerAttributes } from '../../core/header-attributes.js';
import { Operation } from '../../core/operation.js';
import type { RequestMeasurement, RequestMeter } from '../../core/request-meter.js';
import { isTracingSuppressed } from '../../core/suppression.js';
import type { ResolvedHttpClient } from '../../options/http-client.js';
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
  readonly meter: RequestMeter | undefined;
}

/** What is known of a request while it is under way. */
interface Exchange {
  message: OutgoingMessage;
  rules: RequestRules;
  answer?: IncomingAnswer;
  connection?: Connection;
  failure?: string;
}

/** One outgoing HTTP request, its client span and its measurement. Redirects and retries are requests of their own. */
export class ClientRequest {
  private static readonly prepared = new Handoff<ClientRequest>();

  /** Undefined when the request is over: nothing that it held is held any longer. */
  private exchange: Exchange | undefined;
  private measurement: RequestMeasurement | undefined;

  /**
   * Begins to trace a request that is being sent, and has it carry its trace context; undefined where it is to be left alone.
   * A request that another instrumentation has a span for is only counted.
   */
  static begin(
    message: OutgoingMessage,
    options: ClientRequestOptions,
    caller: Context = context.active(),
  ): ClientRequest | undefined {
    if (isTracingSuppressed(caller)) return undefined;
    const carried = guarded('The propagator', () => carriedContexts(message)) ?? [];
    const prepared = ClientRequest.prepared.take(carried);
    if (prepared) return prepared.send(message);
    const owner = ownerOf(carried, caller);
    // What has a span elsewhere is measured there as well, where the metrics are the same.
    if (owner === 'foreign' && (!options.meter || options.meter.shared)) return undefined;
    const rules = new RequestRules(message, options);
    if (rules.ignored) {
      if (owner === 'earlier request') guarded('The propagator', () => removeContext(message));
      return undefined;
    }
    const operation = owner === 'foreign' ? undefined : startOperation(message, rules, options, caller);
    if (operation && owner !== 'active span') {
      guarded('The propagator', () => propagate(message, rules, owner, operation.context));
      rememberInjected(operation.context);
    }
    return new ClientRequest(operation, options, { message, rules }).measure();
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
    const operation = startOperation(message, rules, options, caller);
    guarded('The propagator', () => propagate(message, rules, owner, operation.context));
    rememberInjected(operation.context);
    const { spanId } = operation.span.spanContext();
    if (carriedContexts(message).some((carried) => carried.spanId === spanId)) {
      ClientRequest.prepared.put(spanId, new ClientRequest(operation, options, { message, rules }), holder);
      return;
    }
    // A propagator that cannot read what it has written leaves no way to know the request again.
    operation.discard();
    replaceContext(message, caller);
  }

  private constructor(
    /** Undefined where the request is only counted. */
    private readonly operation: Operation | undefined,
    private readonly options: ClientRequestOptions,
    exchange: Exchange,
  ) {
    this.exchange = exchange;
  }

  /** The request that was prepared is sent, as this message. */
  private send(message: OutgoingMessage): this {
    this.exchange = { message, rules: new RequestRules(message, this.options) };
    return this.measure();
  }

  private measure(): this {
    const { exchange, options } = this;
    this.measurement = guarded('http.client metrics', () => {
      if (!exchange || !options.meter) return undefined;
      const { message, rules } = exchange;
      return options.meter.begin(activeAttributes(message, rules.destination, options.knownMethods));
    });
    return this;
  }

  /** The request is ready to be sent. Since it was begun the application may have given it the headers of its caller. */
  ready(): void {
    const { exchange, operation } = this;
    if (!exchange || !operation) return;
    guarded('The propagator', () => correctContext(exchange, operation));
  }

  /** The request has a connection to go over. */
  connected(connection: () => Connection): void {
    const { exchange } = this;
    if (!exchange || !(this.operation?.recording || this.measurement)) return;
    exchange.connection = { ...exchange.connection, ...connection() };
  }

  /** The head of an answer has come. */
  answered(answer: IncomingAnswer): void {
    if (this.exchange) this.exchange.answer = answer;
  }

  /** The request is over, and the whole answer has come. */
  complete(): void {
    this.end(() => {});
  }

  /** The request is over, because its own caller gave up. */
  cancelled(): void {
    this.end(({ span }) => span.addEvent('request cancelled'));
  }

  /** The request is over, because of an error. */
  failed(error: unknown): void {
    const { exchange } = this;
    if (!exchange) return;
    if (isCancellation(error)) {
      this.cancelled();
      return;
    }
    const isRefused = isRefusedAnswer(error) && isErrorStatus(exchange.answer?.statusCode);
    const failure = failureType(error);
    exchange.failure = failure;
    this.end((operation) => {
      // The status says all that there is to say.
      if (isRefused) return;
      operation.fail(error);
      operation.span.setAttribute(ATTR_ERROR_TYPE, failure);
    });
  }

  // Whatever of this fails, the span and the measurement end.
  private end(describeEnd: (operation: Operation) => unknown): void {
    const { exchange, measurement, operation, options } = this;
    if (!exchange) return;
    this.exchange = undefined;
    this.measurement = undefined;
    guarded('The end of an outgoing request', () => {
      if (operation?.recording) describe(operation, exchange, options, describeEnd);
    });
    operation?.end();
    if (!measurement) return;
    const outcome = guarded('http.client metrics', () => outcomeOf(exchange, options)) ?? {};
    guarded('http.client metrics', () => measurement.end(outcome, operation?.span));
  }
}

function startOperation(
  message: OutgoingMessage,
  rules: RequestRules,
  options: ClientRequestOptions,
  caller: Context,
): Operation {
  const attributes = () => requestAttributes(message, rules.destination, options);
  return Operation.start(httpSpanName(message.method, options.knownMethods), {
    kind: SpanKind.CLIENT,
    parent: caller,
    ...(options.samplerReadsAttributes && { attributes: guarded('http.client attributes', attributes) ?? {} }),
  });
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

function correctContext({ message, rules }: Exchange, { context: own, span }: Operation): void {
  const { spanId } = span.spanContext();
  const isIn = (field: string) => message.header(field)?.includes(spanId);
  if (propagation.fields().some(isIn)) return;
  const owner = ownerOf(carriedContexts(message), own);
  if (owner === 'caller' || owner === 'earlier request') propagate(message, rules, owner, own);
}

/** What a request is counted by. */
function outcomeOf(
  { answer, connection, failure, message, rules }: Exchange,
  options: ClientRequestOptions,
): Attributes {
  const { destination } = rules;
  const { knownMethods } = options;
  return outcomeAttributes(
    message,
    destination,
    answer?.statusCode,
    connection?.protocolVersion,
    failure,
    knownMethods,
  );
}

function describe(
  operation: Operation,
  exchange: Exchange,
  options: ClientRequestOptions,
  describeEnd: (operation: Operation) => unknown,
): void {
  operation.describe('http.client attributes', () => attributesOf(exchange, options));
  const { span } = operation;
  const statusCode = exchange.answer?.statusCode;
  // An error that comes after it adds its message.
  if (isErrorStatus(statusCode)) span.setStatus({ code: SpanStatusCode.ERROR });
  guarded('The end of an outgoing request', () => describeEnd(operation));
  if (isErrorStatus(statusCode)) span.setAttribute(ATTR_ERROR_TYPE, String(statusCode));
}

function attributesOf({ answer, connection, message, rules }: Exchange, options: ClientRequestOptions): Attributes {
  return {
    ...requestAttributes(message, rules.destination, options),
    ...answerAttributes(answer?.statusCode, connection ?? {}),
    ...headerAttributes(options.requestHeaders, ATTR_HTTP_REQUEST_HEADER, (name) => message.header(name)),
    ...headerAttributes(options.responseHeaders, ATTR_HTTP_RESPONSE_HEADER, (name) => answer?.header(name)),
  };
}
