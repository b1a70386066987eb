import { context, SpanKind, SpanStatusCode, type Attributes, type Context } from '@opentelemetry/api';
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
import type { ResolvedHttpClient } from '../../options/resolved-options.js';
import { httpSpanName } from '../method.js';
import {
  activeAttributes,
  answerAttributes,
  outcomeAttributes,
  requestAttributes,
  type Connection,
} from './attributes.js';
import { failureType, isCancellation } from './failure.js';
import type { IncomingAnswer, OutgoingMessage } from './outgoing-message.js';
import { carriedContext, injectContext, noteInjected } from './propagation.js';
import { RequestRules } from './rules.js';

export interface ClientRequestOptions extends ResolvedHttpClient {
  /** Whether the sampler looks at attributes: only then are they worked out before it decides. */
  readonly samplerReadsAttributes: boolean;
  /** Undefined where nothing is measured. */
  readonly meter: RequestMeter | undefined;
}

/** One outgoing HTTP request and its client span. Redirects and retries are requests of their own. */
export class ClientRequest {
  private readonly operation: Operation;
  private answer: IncomingAnswer | undefined;
  private connection: Connection = {};
  private readonly measurement: RequestMeasurement | undefined;
  private failure: string | undefined;
  private over = false;

  /** Begins to trace a request, and has it carry its trace context; undefined where it is to be left alone. */
  static begin(
    message: OutgoingMessage,
    options: ClientRequestOptions,
    caller: Context = context.active(),
  ): ClientRequest | undefined {
    if (isTracingSuppressed(caller)) return undefined;
    const carried = guarded('The propagator', () => carriedContext(message, caller)) ?? 'ours';
    if (carried === "somebody else's") return undefined;
    const rules = new RequestRules(message, options);
    if (rules.ignored) return undefined;
    const request = new ClientRequest(message, options, rules, caller);
    if (carried === 'none' && rules.propagates) {
      guarded('The propagator', () => injectContext(message, request.operation.context));
      noteInjected(request.operation.context);
    }
    return request;
  }

  private constructor(
    private readonly message: OutgoingMessage,
    private readonly options: ClientRequestOptions,
    private readonly rules: RequestRules,
    caller: Context,
  ) {
    this.operation = Operation.start(httpSpanName(message.method, options.knownMethods), {
      kind: SpanKind.CLIENT,
      parent: caller,
      ...(options.samplerReadsAttributes && {
        attributes: guarded('http.client attributes', () => this.requestAttributes()) ?? {},
      }),
    });
    this.measurement = options.meter?.begin(activeAttributes(message, rules.url, options.knownMethods));
  }

  /** The request has a connection to go over. */
  connected(connection: () => Connection): void {
    if (this.over || !(this.operation.recording || this.measurement)) return;
    this.connection = { ...this.connection, ...connection() };
  }

  /** The head of an answer has come. */
  answered(answer: IncomingAnswer): void {
    this.answer = answer;
  }

  /** The request is over, and the whole answer has come. */
  complete(): void {
    this.end(() => {});
  }

  /** The request is over, because its own caller gave up. */
  cancelled(): void {
    this.end(() => this.operation.span.addEvent('request cancelled'));
  }

  /** The request is over, because of an error. */
  failed(error: unknown): void {
    if (isCancellation(error)) {
      this.cancelled();
      return;
    }
    const failure = failureType(error);
    this.failure = failure;
    this.end(() => {
      this.operation.fail(error);
      this.operation.span.setAttribute(ATTR_ERROR_TYPE, failure);
    });
  }

  private end(describeEnd: () => void): void {
    if (this.over) return;
    this.over = true;
    const { operation } = this;
    if (operation.recording) {
      operation.describe('http.client attributes', () => this.attributes());
      this.setStatus();
      guarded('The end of an outgoing request', describeEnd);
    }
    operation.end();
    this.measurement?.end(this.outcome(), operation.span);
  }

  /** What the request is counted by. */
  private outcome(): Attributes {
    const { answer, connection, failure, message, options, rules } = this;
    return outcomeAttributes(
      message,
      rules.url,
      answer?.statusCode,
      connection.protocolVersion,
      failure,
      options.knownMethods,
    );
  }

  private setStatus(): void {
    const statusCode = this.answer?.statusCode;
    if (statusCode === undefined || statusCode < 400) return;
    const { span } = this.operation;
    span.setAttribute(ATTR_ERROR_TYPE, String(statusCode));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }

  private attributes(): Attributes {
    return {
      ...this.requestAttributes(),
      ...answerAttributes(this.answer?.statusCode, this.connection),
      ...this.headerAttributes(),
    };
  }

  private requestAttributes(): Attributes {
    return requestAttributes(this.message, this.rules.url, this.options);
  }

  private headerAttributes(): Attributes {
    const { answer, message, options } = this;
    return {
      ...headerAttributes(options.requestHeaders, ATTR_HTTP_REQUEST_HEADER, (name) => message.header(name)),
      ...headerAttributes(options.responseHeaders, ATTR_HTTP_RESPONSE_HEADER, (name) => answer?.header(name)),
    };
  }
}
