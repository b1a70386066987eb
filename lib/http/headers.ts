import type { Attributes } from '@opentelemetry/api';
import { ATTR_HTTP_REQUEST_HEADER, ATTR_HTTP_RESPONSE_HEADER } from '@opentelemetry/semantic-conventions';
import { namesSecret } from '../options/secret-names.js';
import type { HttpRequest, HttpResponse } from '../tracing.options.js';
import type { FrameworkResponse } from './framework-request.js';

/** Carry credentials without a name that says so. */
const COOKIES = new Set(['cookie', 'set-cookie']);

const secrecy = new Map<string, boolean>();

/** `http.request.header.<name>` of the headers that are wanted and present. */
export function requestHeaderAttributes(request: HttpRequest, names: readonly string[]): Attributes {
  return headerAttributes(names, (name) => request.headers[name], ATTR_HTTP_REQUEST_HEADER);
}

/** `http.response.header.<name>` of the headers that are wanted and present. */
export function responseHeaderAttributes(
  response: HttpResponse,
  framework: FrameworkResponse | undefined,
  names: readonly string[],
): Attributes {
  // Fastify hands its headers to Node at the last moment, in a way that leaves no trace of them there.
  const read = (name: string) => framework?.getHeader?.(name) ?? response.getHeader(name);
  return headerAttributes(names, read, ATTR_HTTP_RESPONSE_HEADER);
}

function headerAttributes(
  names: readonly string[],
  read: (name: string) => unknown,
  attribute: (name: string) => string,
): Attributes {
  const attributes: Attributes = {};
  for (const name of names) {
    const value = read(name);
    if (value === undefined || value === null) continue;
    const values = Array.isArray(value) ? value.map(String) : [`${value as string | number}`];
    attributes[attribute(name)] = isSecret(name) ? values.map(() => 'REDACTED') : values;
  }
  return attributes;
}

// The names come from the options, so they are few.
function isSecret(name: string): boolean {
  let secret = secrecy.get(name);
  if (secret === undefined) secrecy.set(name, (secret = COOKIES.has(name) || namesSecret(name)));
  return secret;
}
