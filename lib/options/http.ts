import { TracingConfigurationError } from '../tracing.errors.js';
import type { HttpOptions, HttpRequest } from '../tracing.options.js';
import { recordedHeaders } from './headers.js';
import { knownKeys } from './known-keys.js';
import { functionOr } from './parse.js';
import { anyMatcher, pathMatcher, regExpMatcher } from './path-pattern.js';
import { originForm } from './request-target.js';
import type { ResolvedHttp } from './resolved-options.js';
import { namesSecretParameter } from './secret-names.js';
import { option } from './setting.js';
import { trust } from './trust.js';

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
  const options = knownKeys<HttpOptions>('http', given, [
    'ignore',
    'trustIncoming',
    'requestHeaders',
    'responseHeaders',
    'redactQuery',
    'spanName',
    'requestHook',
    'responseHook',
    'client',
  ]);
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
