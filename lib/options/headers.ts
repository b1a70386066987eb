import { TracingConfigurationError } from '../tracing.errors.js';
import { keyValues } from './key-values.js';
import type { ResolvedOptions } from './resolved-options.js';
import { namesSecret } from './secret-names.js';
import type { Setting } from './setting.js';

/** A field name of HTTP (RFC 9110, section 5.1). */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** The lower-case form of a header's name. */
export function headerName(option: string, name: unknown): string {
  const lowerCase = typeof name === 'string' ? name.trim().toLowerCase() : '';
  if (HEADER_NAME.test(lowerCase)) return lowerCase;
  throw new TracingConfigurationError(option, name, 'Give the name of a header, such as x-request-id.');
}

/** Carry credentials without a name that says so. */
const COOKIES = new Set(['cookie', 'set-cookie']);

/** The headers that spans are to record, each once. */
export function recordedHeaders(setting: Setting | undefined): ResolvedOptions['http']['requestHeaders'] {
  if (setting === undefined) return Object.freeze([]);
  const { name: option, value } = setting;
  if (!Array.isArray(value)) {
    throw new TracingConfigurationError(option, value, "Give a list of names, such as ['x-request-id'].");
  }
  const names = new Set(value.map((entry, index) => headerName(`${option}[${index}]`, entry)));
  return Object.freeze(
    [...names].map((name) => Object.freeze({ name, secret: COOKIES.has(name) || namesSecret(name) })),
  );
}

/** Headers from variables and from an option, a later source winning over an earlier one whatever the case of the name. */
export function mergeHeaders(
  variables: readonly (Setting | undefined)[],
  given: Setting | undefined,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const setting of variables) {
    for (const [key, value] of keyValues(setting)) headers[headerName(setting?.name ?? '', key)] = value;
  }
  for (const [key, value] of givenHeaders(given)) {
    headers[headerName(`${given?.name ?? ''}.${key}`, key)] = headerValue(`${given?.name ?? ''}.${key}`, value);
  }
  return Object.freeze(headers);
}

function givenHeaders(given: Setting | undefined): [string, unknown][] {
  if (given === undefined) return [];
  if (typeof given.value === 'object' && given.value !== null && !Array.isArray(given.value)) {
    return Object.entries(given.value).filter(([, value]) => value !== undefined);
  }
  // Not shown: it may be an API key that was written without its header's name.
  throw new TracingConfigurationError(given.name, typeof given.value, "Give an object, such as { 'x-api-key': '…' }.");
}

function headerValue(option: string, value: unknown): string {
  // Line ends would let one header smuggle in another; Node and grpc-js refuse them at every export instead of at the start.
  if (typeof value === 'string' && !/[\0\r\n]/.test(value)) return value;
  throw new TracingConfigurationError(option, typeof value, 'Give the value of the header as one line of text.');
}
