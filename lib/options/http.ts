import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Span } from '@opentelemetry/api';
import { TracingConfigurationError } from '../tracing.errors.js';
import { recordedHeaders, type ResolvedHeader } from './headers.js';
import type { HttpClientOptions } from './http-client.js';
import { knownKeys } from './known-keys.js';
import { functionOr } from './parse.js';
import { anyMatcher, pathMatcher, regExpMatcher, type PathPattern } from './path-pattern.js';
import { originForm } from './request-target.js';
import { namesSecretParameter } from './secret-names.js';
import { option } from './setting.js';
import { trust } from './trust.js';

/** The raw request of Node's HTTP/1.1 or HTTP/2 server. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;

/** The raw response of Node's HTTP/1.1 or HTTP/2 server. */
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** How incoming HTTP requests are traced. */
export interface HttpOptions {
  /**
   * Requests that are not traced, with everything beneath them: paths (`/health`, `/internal/*`), patterns, or a function.
   * @default []
   */
  ignore?: PathPattern | readonly PathPattern[] | ((request: HttpRequest) => boolean);

  /**
   * Whether the trace context that a request brings is adopted. Where it is not, the request begins a trace of its own with a
   * link to the caller's span: for edges that anybody can call. A function that throws has said no.
   * @default true
   */
  trustIncoming?: boolean | ((request: HttpRequest) => boolean);

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

  /**
   * Query parameters whose value is replaced by `REDACTED`, beside those whose name looks like that of a password, token, key,
   * code or signature. A text is a whole name, case ignored. A function is asked for each name and has the last word: true
   * hides the value, false shows it, undefined leaves it to the library. Its answers are remembered. If it throws or is async,
   * the library decides. It also applies to outgoing requests.
   * @default []
   */
  redactQuery?: readonly PathPattern[] | ((name: string) => boolean | undefined);

  /**
   * Names the server span in place of `{method} {route}`. Keep it of low cardinality: never the path.
   * Return undefined for the usual name.
   */
  spanName?: (request: HttpRequest, route: string | undefined) => string | undefined;

  /** Called when the server span has started, if it records. */
  requestHook?: (span: Span, request: HttpRequest) => void;

  /** Called before the server span ends, if it records. */
  responseHook?: (span: Span, response: HttpResponse) => void;

  /** Outgoing requests, by `fetch` or by `node:http` and what is built on it. False leaves them alone. */
  client?: HttpClientOptions | false;
}

export interface ResolvedHttp {
  /** The request methods that spans and metrics name; any other is `_OTHER`. */
  readonly knownMethods: ReadonlySet<string>;
  /** Whether this request is left out. A function that the user wrote stands here as it is, and is all that may throw. */
  readonly ignore: ((request: HttpRequest) => boolean) | undefined;
  /** Whether the caller's trace context is adopted; may throw, where the user wrote it. Undefined: it is. */
  readonly trustIncoming: ((request: HttpRequest) => boolean) | undefined;
  readonly requestHeaders: readonly ResolvedHeader[];
  readonly responseHeaders: readonly ResolvedHeader[];
  /** True for the decoded names of query parameters whose values are hidden; may throw, where the application wrote it. */
  readonly redactQuery: (name: string) => boolean;
  readonly spanName: HttpOptions['spanName'];
  readonly requestHook: HttpOptions['requestHook'];
  readonly responseHook: HttpOptions['responseHook'];
}

/**
 * Settles how incoming HTTP requests are traced.
 *
 * @param knownMethods the request methods that spans and metrics name
 * @param metricsPath where the application serves its metrics, if it does: scrapes are left out
 */
export function resolveHttp(
  given: HttpOptions | undefined,
  knownMethods: ReadonlySet<string>,
  metricsPath?: string,
): ResolvedHttp {
  const options = knownKeys<HttpOptions>('http', given, {
    ignore: true,
    trustIncoming: true,
    requestHeaders: true,
    responseHeaders: true,
    redactQuery: true,
    spanName: true,
    requestHook: true,
    responseHook: true,
    client: true,
  });
  const setting = (key: keyof HttpOptions) => option(`http.${key}`, options[key]);

  return Object.freeze({
    knownMethods,
    ignore: withPath(metricsPath, ignorePredicate(options.ignore)),
    trustIncoming: trust<HttpRequest>(setting('trustIncoming')),
    requestHeaders: recordedHeaders(setting('requestHeaders')),
    responseHeaders: recordedHeaders(setting('responseHeaders')),
    redactQuery: redactPredicate(options.redactQuery),
    spanName: functionOr<HttpOptions['spanName']>(setting('spanName')),
    requestHook: functionOr<ResolvedHttp['requestHook']>(setting('requestHook')),
    responseHook: functionOr<ResolvedHttp['responseHook']>(setting('responseHook')),
  });
}

function ignorePredicate(ignore: HttpOptions['ignore']): ResolvedHttp['ignore'] {
  if (ignore === undefined) return undefined;
  if (typeof ignore === 'function') return ignore;
  const matches = anyMatcher('http.ignore', ignore, pathMatcher);
  // Nothing is to be looked at for an empty list.
  if (Array.isArray(ignore) && ignore.length === 0) return undefined;
  return (request: HttpRequest) => matches(pathOf(request.url));
}

/** Scrapes are left out. Anything else at that path is the application's own. */
function withPath(path: string | undefined, ignore: ResolvedHttp['ignore']): ResolvedHttp['ignore'] {
  if (path === undefined) return ignore;
  const matches = pathMatcher('metrics.path', path);
  const isScrape = ({ method, url }: HttpRequest) => (method === 'GET' || method === 'HEAD') && matches(pathOf(url));
  // What the application answers is handed on as it is: a promise is no answer.
  return ignore ? (request) => isScrape(request) || ignore(request) : isScrape;
}

function pathOf(target: string | undefined): string {
  if (!target) return '';
  const local = originForm(target);
  const query = local.search(/[?#]/);
  return (query < 0 ? local : local.slice(0, query)) || '/';
}

function redactPredicate(given: HttpOptions['redactQuery']): ResolvedHttp['redactQuery'] {
  if (given === undefined) return namesSecretParameter;
  if (typeof given === 'function') return (name) => given(name) ?? namesSecretParameter(name);
  if (!Array.isArray(given)) {
    const fix = "Give a list of parameter names or patterns, such as ['email'], or a function of the name.";
    throw new TracingConfigurationError('http.redactQuery', given, fix);
  }
  const matches = anyMatcher('http.redactQuery', given, nameMatcher);
  return (name) => namesSecretParameter(name) || matches(name);
}

function nameMatcher(name: string, pattern: unknown): (value: string) => boolean {
  if (pattern instanceof RegExp) return regExpMatcher(pattern);
  if (typeof pattern === 'string' && pattern.trim()) {
    const whole = pattern.trim().toLowerCase();
    return (value) => value.toLowerCase() === whole;
  }
  throw new TracingConfigurationError(name, pattern, 'Give the name of a query parameter, or a regular expression.');
}
