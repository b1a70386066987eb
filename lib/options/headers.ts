import { TracingConfigurationError, WithheldValue } from '../tracing.errors.js';
import { parseKeyValue, malformedEntryError } from './key-values.js';
import { parseEach } from './lenient.js';
import { namesSecret } from './secret-names.js';
import { splitEntries, type Setting, type Sources } from './setting.js';

/** A header, or an entry of metadata, that spans record. */
export interface ResolvedHeader {
  /** The name in lower case. */
  readonly name: string;
  /** True if the values are redacted. */
  readonly isSecret: boolean;
}

/** A field name of HTTP (RFC 9110, section 5.1). */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** Parses a header name to lower case. */
export function parseHeaderName(option: string, name: unknown): string {
  const lowerCase = typeof name === 'string' ? name.trim().toLowerCase() : '';
  if (HEADER_NAME.test(lowerCase)) return lowerCase;
  throw new TracingConfigurationError(option, name, 'Give the name of a header, such as x-request-id.');
}

/** Headers with credentials, which their names do not show. */
const COOKIES = new Set(['cookie', 'set-cookie']);

/** Resolves the headers that spans record, each once. */
export function resolveRecordedHeaders(setting: Setting | undefined): readonly ResolvedHeader[] {
  if (setting === undefined) return Object.freeze([]);
  const { name: option, value } = setting;
  if (!Array.isArray(value)) {
    throw new TracingConfigurationError(option, value, "Give a list of names, such as ['x-request-id'].");
  }
  const names = new Set(value.map((entry, index) => parseHeaderName(`${option}[${index}]`, entry)));
  return Object.freeze(
    [...names].map((name) => Object.freeze({ name, isSecret: COOKIES.has(name) || namesSecret(name) })),
  );
}

/** The characters that a protocol allows in its headers. */
export interface HeaderRules {
  /** A pattern of names in lower case. */
  readonly name: RegExp;
  readonly value: RegExp;
}

/** The rules of Node, which would otherwise refuse a header at each export instead of at the start. */
export const HTTP_HEADER_RULES: HeaderRules = { name: HEADER_NAME, value: /^[\t -~\x80-\xff]*$/ };

/** The rules of grpc-js for metadata. A name that ends with `-bin` is for bytes, not for text. */
export const METADATA_RULES: HeaderRules = { name: /^[0-9a-z_.-]+(?<!-bin)$/, value: /^[ -~]*$/ };

/** Merges the headers of variables and of an option. A later source replaces a header of an earlier one, and case does not count. */
export function mergeHeaders(
  variables: Sources,
  given: Setting | undefined,
  rules: HeaderRules,
): Readonly<Record<string, string>> {
  const fromVariables = variables.flatMap((setting) =>
    setting ? parseEach((entry) => headerEntry(entry, rules), splitEntries(setting)) : [],
  );
  const fromCode = givenHeaders(given).map(([key, value]) =>
    givenHeader(`${given?.name ?? ''}.${key}`, key, value, rules),
  );
  return Object.freeze(Object.fromEntries([...fromVariables, ...fromCode]));
}

function headerEntry(entry: Setting, rules: HeaderRules): [name: string, value: string] {
  const [key, value] = parseKeyValue(entry);
  const name = key.toLowerCase();
  if (rules.name.test(name) && rules.value.test(value)) return [name, value];
  throw malformedEntryError(entry);
}

function givenHeader(option: string, key: string, value: unknown, rules: HeaderRules): [name: string, value: string] {
  const name = parseHeaderName(option, key);
  if (!rules.name.test(name)) {
    throw new TracingConfigurationError(option, key, 'Give a name that gRPC allows for text, such as x-api-key.');
  }
  return [name, headerValue(option, value, rules)];
}

function givenHeaders(given: Setting | undefined): [string, unknown][] {
  if (given === undefined) return [];
  if (typeof given.value === 'object' && given.value !== null && !Array.isArray(given.value)) {
    return Object.entries(given.value).filter(([, value]) => value !== undefined);
  }
  // The error shows only the type, because the value may be an API key without its header name.
  throw new TracingConfigurationError(
    given.name,
    new WithheldValue(given.value),
    "Give an object, such as { 'x-api-key': '…' }.",
  );
}

function headerValue(option: string, value: unknown, rules: HeaderRules): string {
  // A line end would allow one value to add further headers.
  if (typeof value === 'string' && rules.value.test(value)) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  throw new TracingConfigurationError(
    option,
    new WithheldValue(value),
    'Give the value of the header as one line of text, in characters that a header may have.',
  );
}
