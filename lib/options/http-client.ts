import { resolveRecordedHeaders, type ResolvedHeader } from './headers.js';
import { compileHostPattern, type HostPattern } from './host-pattern.js';
import { compileAny } from './pattern.js';
import { readOption } from './setting.js';
import { groupIfOn } from './switch.js';
import type { BooleanOption } from './text-types.js';

/** An outgoing HTTP request. */
export interface OutgoingRequest {
  readonly method: string;
  readonly url: URL;
}

/** How outgoing HTTP requests are traced. */
export interface HttpClientOptions {
  /**
   * Requests that are not traced and carry no trace context: hosts, or a function of the request.
   * @default []
   */
  ignore?: HostPattern | readonly HostPattern[] | ((request: OutgoingRequest) => boolean) | undefined;

  /**
   * Requests that carry the trace context and the baggage: hosts, or a function of the request. The other requests are traced as
   * well.
   * @default every request
   */
  propagateTo?: HostPattern | readonly HostPattern[] | ((request: OutgoingRequest) => boolean) | undefined;

  /**
   * Request headers that are recorded as `http.request.header.<name>`. Credentials and cookies are redacted even if listed.
   * @default []
   */
  requestHeaders?: readonly string[] | undefined;

  /**
   * Response headers that are recorded as `http.response.header.<name>`. Cookies are redacted even if listed.
   * @default []
   */
  responseHeaders?: readonly string[] | undefined;
}

export interface ResolvedHttpClient {
  /** The request methods in span names and metrics. Any other method is `_OTHER`. */
  readonly knownMethods: ReadonlySet<string>;
  /** True if a request is not traced. It throws if the application's function throws. Undefined if every request is traced. */
  readonly ignore: ((request: OutgoingRequest) => boolean) | undefined;
  /**
   * True if a request carries the trace context. It throws if the application's function throws. Undefined if every request carries
   * it.
   */
  readonly propagateTo: ((request: OutgoingRequest) => boolean) | undefined;
  readonly requestHeaders: readonly ResolvedHeader[];
  readonly responseHeaders: readonly ResolvedHeader[];
  /** True for the decoded name of a query parameter whose value is redacted. It throws if the application's function throws. */
  readonly redactQuery: (name: string) => boolean;
}

/**
 * Resolves how outgoing HTTP requests are traced. Returns undefined if they are not traced.
 *
 * @param http the options that apply to incoming requests as well
 */
export function resolveHttpClient(
  given: HttpClientOptions | BooleanOption | undefined,
  { knownMethods, redactQuery }: Pick<ResolvedHttpClient, 'knownMethods' | 'redactQuery'>,
): ResolvedHttpClient | undefined {
  const options = groupIfOn<HttpClientOptions>('http.client', given, {
    ignore: true,
    propagateTo: true,
    requestHeaders: true,
    responseHeaders: true,
  });
  if (!options) return undefined;
  return Object.freeze({
    knownMethods,
    ignore: requestPredicate('http.client.ignore', options.ignore),
    propagateTo: requestPredicate('http.client.propagateTo', options.propagateTo),
    requestHeaders: resolveRecordedHeaders(readOption('http.client.requestHeaders', options.requestHeaders)),
    responseHeaders: resolveRecordedHeaders(readOption('http.client.responseHeaders', options.responseHeaders)),
    redactQuery,
  });
}

function requestPredicate(
  option: string,
  given: HttpClientOptions['ignore'],
): ((request: OutgoingRequest) => boolean) | undefined {
  if (given === undefined || typeof given === 'function') return given;
  const matches = compileAny(option, given, compileHostPattern);
  return ({ url }) => matches(url);
}
