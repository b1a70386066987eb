import { SpanStatusCode, type Attributes } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_HEADER,
  ATTR_HTTP_RESPONSE_HEADER,
} from '@opentelemetry/semantic-conventions';
import { changedAttributes } from '../../core/changed-attributes.js';
import type { Exchange } from '../../core/exchange-operation.js';
import { headerAttributes } from '../../core/header-attributes.js';
import type { Operation } from '../../core/operation.js';
import type { ResolvedHttpClient } from '../../options/http-client.js';
import {
  clientActiveAttributes,
  clientOutcomeAttributes,
  clientRequestAttributes,
  isErrorStatus,
  clientResponseAttributes,
  type Connection,
} from './attributes.js';
import { failureType, isRejectedResponse } from './failure.js';
import type { IncomingResponse, OutgoingMessage } from './outgoing-message.js';
import type { RequestRules } from './rules.js';

/** The end of a request: the whole response was received, the application has cancelled it, or it has failed. */
export type RequestEnd = 'complete' | 'cancelled' | { readonly error: unknown };

/** An outgoing HTTP request and its response, by the semantic conventions for HTTP. */
export class RequestExchange implements Exchange<RequestEnd> {
  response: IncomingResponse | undefined;
  connection: Connection | undefined;
  /** The attributes with which the span has started. */
  private started: Attributes | undefined;

  constructor(
    public message: OutgoingMessage,
    public rules: RequestRules,
    private readonly options: ResolvedHttpClient,
  ) {}

  /** Replaces the prepared message by the one that is really sent. */
  replaceMessage(message: OutgoingMessage, rules: RequestRules): void {
    this.message = message;
    this.rules = rules;
  }

  /** Returns the attributes for a span that starts with them. */
  startAttributes(): Attributes {
    return (this.started = this.requestAttributes());
  }

  private requestAttributes(): Attributes {
    return clientRequestAttributes(this.message, this.rules.destination, this.options);
  }

  activeAttributes(): Attributes {
    return clientActiveAttributes(this.message, this.rules.destination, this.options.knownMethods);
  }

  measuredAttributes(end: RequestEnd): Attributes {
    const { connection, message, options, response, rules } = this;
    const failure = typeof end === 'object' ? failureType(end.error) : undefined;
    return clientOutcomeAttributes(
      message,
      rules.destination,
      response?.statusCode,
      connection?.protocolVersion,
      failure,
      options.knownMethods,
    );
  }

  describeEnd(operation: Operation, end: RequestEnd): void {
    operation.describe('http.client attributes', () => this.endAttributes());
    const { span } = operation;
    const statusCode = this.response?.statusCode;
    const hasErrorStatus = isErrorStatus(statusCode);
    // An error that is reported after the response adds its message to the status.
    if (hasErrorStatus) span.setStatus({ code: SpanStatusCode.ERROR });
    if (end === 'cancelled') span.addEvent('request cancelled');
    // If the client rejects a response because of its status, the status already tells everything.
    else if (end !== 'complete' && !(hasErrorStatus && isRejectedResponse(end.error))) {
      operation.fail(end.error);
      span.setAttribute(ATTR_ERROR_TYPE, failureType(end.error));
    }
    if (hasErrorStatus) span.setAttribute(ATTR_ERROR_TYPE, String(statusCode));
  }

  private endAttributes(): Attributes {
    const { connection, message, options, response } = this;
    return {
      ...changedAttributes(this.requestAttributes(), this.started),
      ...clientResponseAttributes(response?.statusCode, connection ?? {}),
      ...headerAttributes(options.requestHeaders, ATTR_HTTP_REQUEST_HEADER, (name) => message.header(name)),
      ...headerAttributes(options.responseHeaders, ATTR_HTTP_RESPONSE_HEADER, (name) => response?.header(name)),
    };
  }
}
