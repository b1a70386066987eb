import { recordedHeaders, type ResolvedHeader } from './headers.js';
import { hostMatcher, type HostPattern } from './host-pattern.js';
import { knownKeys } from './known-keys.js';
import { anyMatcher } from './path-pattern.js';
import { option } from './setting.js';

/** An outgoing HTTP request. */
export interface OutgoingRequest {
  readonly method: string;
  readonly url: URL;
}

/** How outgoing HTTP requests are traced. */
export interface HttpClientOptions {
  /**
   * Requests that are not traced and carry no trace context: hosts, or a function.
   * @default []
   */
  ignore?: HostPattern | readonly HostPattern[] | ((request: OutgoingRequest) => boolean);

  /**
   * Which requests carry the trace context and baggage: hosts, or a function. The others are traced all the same.
   * @default every request
   */
  propagateTo?: HostPattern | readonly HostPattern[] | ((request: OutgoingRequest) => boolean);

  /**
   * Request headers to record as `http.request.header.<name>`. Credentials and cookies are redacted even then.
   * @default []
   */
  requestHeaders?: readonly string[];

  /**
   * Response headers to record as `http.response.header.<name>`. Cookies are redacted even then.
   * @default []
   */
  responseHeaders?: readonly string[];
}

export interface ResolvedHttpClient {
  /** The request methods that spans and metrics name; any other is `_OTHER`. */
  readonly knownMethods: ReadonlySet<string>;
  /** Whether this request is left out; may throw, where the user wrote it. */
  readonly ignore: ((request: OutgoingRequest) => boolean) | undefined;
  /** Whether this request carries the trace context; may throw, where the user wrote it. Undefined: all do. */
  readonly propagateTo: ((request: OutgoingRequest) => boolean) | undefined;
  readonly requestHeaders: readonly ResolvedHeader[];
  readonly responseHeaders: readonly ResolvedHeader[];
  /** True for the decoded names of query parameters whose values are hidden; may throw, where the application wrote it. */
  readonly redactQuery: (name: string) => boolean;
}

/** Settles how outgoing HTTP requests are traced. */
export function resolveHttpClient(
  given: HttpClientOptions | false | undefined,
  { knownMethods, redactQuery }: Pick<ResolvedHttpClient, 'knownMethods' | 'redactQuery'>,
): ResolvedHttpClient | undefined {
  if (given === false) return undefined;
  const options = knownKeys<HttpClientOptions>('http.client', given, {
    ignore: true,
    propagateTo: true,
    requestHeaders: true,
    responseHeaders: true,
  });
  return Object.freeze({
    knownMethods,
    ignore: predicate('ignore', options.ignore),
    propagateTo: predicate('propagateTo', options.propagateTo),
    requestHeaders: recordedHeaders(option('http.client.requestHeaders', options.requestHeaders)),
    responseHeaders: recordedHeaders(option('http.client.responseHeaders', options.responseHeaders)),
    redactQuery,
  });
}

function predicate(
  key: 'ignore' | 'propagateTo',
  given: HttpClientOptions['ignore'],
): ((request: OutgoingRequest) => boolean) | undefined {
  if (given === undefined || typeof given === 'function') return given;
  const matches = anyMatcher(`http.client.${key}`, given, hostMatcher);
  return ({ url }) => matches(url);
}
