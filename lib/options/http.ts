import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Span } from '@opentelemetry/api';
import { TracingConfigurationError } from '../tracing.errors.js';
import { checkKeys } from './check-keys.js';
import { resolveRecordedHeaders, type ResolvedHeader } from './headers.js';
import type { HttpClientOptions } from './http-client.js';
import { parseFunction } from './parse.js';
import { compilePathPattern, type PathPattern } from './path-pattern.js';
import { compileAny, compileRegExp } from './pattern.js';
import { originForm } from './request-target.js';
import { namesSecretParameter } from './secret-names.js';
import type { ResolvedResponse } from './response.js';
import { readOption } from './setting.js';
import type { BooleanOption } from './text-types.js';
import { resolveTrust } from './trust.js';

/** The raw request of Node's HTTP/1.1 or HTTP/2 server. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;

/** The raw response of Node's HTTP/1.1 or HTTP/2 server. */
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** How incoming HTTP requests are traced. */
export interface HttpOptions {
  /**
   * Requests that are not traced: paths (`/health`, `/internal/*`), regular expressions, or a function of the request. Work within
   * such a request is not traced either.
   * @default []
   */
  ignore?: PathPattern | readonly PathPattern[] | ((request: HttpRequest) => boolean) | undefined;

  /**
   * True if the trace context of a caller is continued. If it is not, the request starts a new trace with a link to the caller's
   * span, which suits a service that is open to the internet. A function that throws counts as false.
   * @default true
   */
  trustIncoming?: BooleanOption | ((request: HttpRequest) => boolean) | undefined;

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

  /**
   * Further query parameters whose value is replaced by `REDACTED`. The library redacts every parameter whose name is likely to
   * denote a password, token, key, code or signature. A text in the list is a whole name, and case does not count. A function
   * decides about each name: true redacts the value, false shows it, undefined leaves the decision to the library. Its results are
   * cached. If it throws or is async, the library decides. The option also applies to outgoing requests.
   * @default []
   */
  redactQuery?: readonly PathPattern[] | ((name: string) => boolean | undefined) | undefined;

  /**
   * Returns the name of the server span, or undefined for the default `{method} {route}`. The names must have a low cardinality, so
   * a name must not contain the path.
   */
  spanName?: ((request: HttpRequest, route: string | undefined) => string | undefined) | undefined;

  /** Called after the start of the server span, if it is recording. */
  requestHook?: ((span: Span, request: HttpRequest) => void) | undefined;

  /** Called before the end of the server span, if it is recording. */
  responseHook?: ((span: Span, response: HttpResponse) => void) | undefined;

  /** Outgoing requests with `fetch`, `node:http`, or a library on top of them. False if they are not traced. */
  client?: HttpClientOptions | BooleanOption | undefined;
}

export interface ResolvedHttp {
  /** The request methods in span names and metrics. Any other method is `_OTHER`. */
  readonly knownMethods: ReadonlySet<string>;
  /** True if a request is not traced. It throws only if the application's function throws. Undefined if every request is traced. */
  readonly ignore: ((request: HttpRequest) => boolean) | undefined;
  /** True if a caller's trace context is continued. It throws if the application's function throws. Undefined if it always is. */
  readonly trustIncoming: ((request: HttpRequest) => boolean) | undefined;
  readonly requestHeaders: readonly ResolvedHeader[];
  readonly responseHeaders: readonly ResolvedHeader[];
  /** True for the decoded name of a query parameter whose value is redacted. It throws if the application's function throws. */
  readonly redactQuery: (name: string) => boolean;
  readonly spanName: HttpOptions['spanName'];
  readonly requestHook: HttpOptions['requestHook'];
  readonly responseHook: HttpOptions['responseHook'];
  /** Undefined if the response tells nothing about the trace. */
  readonly response: ResolvedResponse | undefined;
}

/**
 * Resolves how incoming HTTP requests are traced, if they are.
 *
 * @param knownMethods the request methods in span names and metrics
 * @param response what responses tell about the trace
 * @param metricsPath the path at which the application serves its metrics. Scrapes of this path are not traced.
 */
export function resolveHttp(
  given: Partial<HttpOptions>,
  knownMethods: ReadonlySet<string>,
  response?: ResolvedResponse,
  metricsPath?: string,
): ResolvedHttp {
  const options = checkKeys<HttpOptions>('http', given, {
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
  const setting = (key: keyof HttpOptions) => readOption(`http.${key}`, options[key]);

  return Object.freeze({
    knownMethods,
    ignore: ignoreScrapes(metricsPath, ignorePredicate(options.ignore)),
    trustIncoming: resolveTrust<HttpRequest>(setting('trustIncoming')),
    requestHeaders: resolveRecordedHeaders(setting('requestHeaders')),
    responseHeaders: resolveRecordedHeaders(setting('responseHeaders')),
    redactQuery: redactPredicate(options.redactQuery),
    spanName: parseFunction<HttpOptions['spanName']>(setting('spanName')),
    requestHook: parseFunction<ResolvedHttp['requestHook']>(setting('requestHook')),
    responseHook: parseFunction<ResolvedHttp['responseHook']>(setting('responseHook')),
    response,
  });
}

function ignorePredicate(ignore: HttpOptions['ignore']): ResolvedHttp['ignore'] {
  if (ignore === undefined) return undefined;
  if (typeof ignore === 'function') return ignore;
  const matches = compileAny('http.ignore', ignore, compilePathPattern);
  // An empty list must not cost anything at each request.
  if (Array.isArray(ignore) && ignore.length === 0) return undefined;
  return (request: HttpRequest) => matches(pathOf(request.url));
}

/** Ignores scrapes as well. A request with another method at that path belongs to the application. */
function ignoreScrapes(path: string | undefined, ignore: ResolvedHttp['ignore']): ResolvedHttp['ignore'] {
  if (path === undefined) return ignore;
  const matches = compilePathPattern('metrics.path', path);
  const isScrape = ({ method, url }: HttpRequest) => (method === 'GET' || method === 'HEAD') && matches(pathOf(url));
  // The result of the application's function is returned unchanged, so that the caller can detect a promise.
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
  const matches = compileAny('http.redactQuery', given, compileNamePattern);
  return (name) => namesSecretParameter(name) || matches(name);
}

function compileNamePattern(option: string, pattern: unknown): (value: string) => boolean {
  if (pattern instanceof RegExp) return compileRegExp(pattern);
  if (typeof pattern === 'string' && pattern.trim()) {
    const name = pattern.trim().toLowerCase();
    return (value) => value.toLowerCase() === name;
  }
  throw new TracingConfigurationError(option, pattern, 'Give the name of a query parameter, or a regular expression.');
}
