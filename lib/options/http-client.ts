import type { HttpClientOptions, HttpOptions, OutgoingRequest } from '../tracing.options.js';
import { recordedHeaders } from './headers.js';
import { hostMatcher } from './host-pattern.js';
import { knownKeys } from './known-keys.js';
import { anyMatcher } from './path-pattern.js';
import type { ResolvedHttpClient } from './resolved-options.js';
import { option } from './setting.js';

/** Settles how outgoing HTTP requests are traced. */
export function resolveHttpClient(
  given: HttpOptions['client'],
  { knownMethods, redactQuery }: Pick<ResolvedHttpClient, 'knownMethods' | 'redactQuery'>,
): ResolvedHttpClient | undefined {
  if (given === false) return undefined;
  const options = knownKeys<HttpClientOptions>('http.client', given, [
    'ignore',
    'propagateTo',
    'requestHeaders',
    'responseHeaders',
  ]);
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
