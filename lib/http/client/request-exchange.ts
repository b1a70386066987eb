import { SpanStatusCode, type Attributes } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_HEADER,
  ATTR_HTTP_RESPONSE_HEADER,
} from '@opentelemetry/semantic-conventions';
import type { Exchange } from '../../core/exchange-operation.js';
import { headerAttributes } from '../../core/header-attributes.js';
import type { Operation } from '../../core/operation.js';
import type { ResolvedHttpClient } from '../../options/http-client.js';
import {
  activeAttributes,
  answerAttributes,
  isErrorStatus,
  outcomeAttributes,
  requestAttributes,
  type Connection,
} from './attributes.js';
import { failureType, isRefusedAnswer } from './failure.js';
import type { IncomingAnswer, OutgoingMessage } from './outgoing-message.js';
import type { RequestRules } from './rules.js';

/** How a request ended: with the whole answer, because its own caller gave up, or with an error. */
export type RequestEnd = 'complete' | 'cancelled' | { readonly error: unknown };

/** An outgoing HTTP request and its answer, by the conventions for HTTP. */
export class RequestExchange implements Exchange<RequestEnd> {
  answer: IncomingAnswer | undefined;
  connection: Connection | undefined;

  constructor(
    public message: OutgoingMessage,
    public rules: RequestRules,
    private readonly options: ResolvedHttpClient,
  ) {}

  /** Takes the message that is really sent in place of the one that was prepared. */
  replaceMessage(message: OutgoingMessage, rules: RequestRules): void {
    this.message = message;
    this.rules = rules;
  }

  requestAttributes(): Attributes {
    return requestAttributes(this.message, this.rules.destination, this.options);
  }

  activeAttributes(): Attributes {
    return activeAttributes(this.message, this.rules.destination, this.options.knownMethods);
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

  describeEnd(operation: Operation, end: RequestEnd): void {
    operation.describe('http.client attributes', () => this.endAttributes());
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

  private endAttributes(): Attributes {
    const { answer, connection, message, options } = this;
    return {
      ...this.requestAttributes(),
      ...answerAttributes(answer?.statusCode, connection ?? {}),
      ...headerAttributes(options.requestHeaders, ATTR_HTTP_REQUEST_HEADER, (name) => message.header(name)),
      ...headerAttributes(options.responseHeaders, ATTR_HTTP_RESPONSE_HEADER, (name) => answer?.header(name)),
    };
  }
}
