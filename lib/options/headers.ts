import { TracingConfigurationError } from '../tracing.errors.js';
import { keyValue, malformedEntry } from './key-values.js';
import { parseEach } from './lenient.js';
import { namesSecret } from './secret-names.js';
import { entriesOf, type Setting } from './setting.js';

/** A header, or an entry of metadata, that spans record. */
export interface ResolvedHeader {
  /** In lower case. */
  readonly name: string;
  /** Whether its values are hidden. */
  readonly secret: boolean;
}

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
export function recordedHeaders(setting: Setting | undefined): readonly ResolvedHeader[] {
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

/** The characters that a protocol allows in its headers. */
export interface HeaderRules {
  /** Matches names in lower case. */
  readonly name: RegExp;
  readonly value: RegExp;
}

/** Node refuses other headers at every export, instead of at the start. */
export const HTTP_HEADERS: HeaderRules = { name: HEADER_NAME, value: /^[\t -~\x80-\xff]*$/ };

/** The metadata of gRPC, as grpc-js checks it. Names that end in `-bin` hold bytes, and no text. */
export const METADATA: HeaderRules = { name: /^[0-9a-z_.-]+(?<!-bin)$/, value: /^[ -~]*$/ };

/** Headers from variables and from an option, a later source winning over an earlier one whatever the case of the name. */
export function mergeHeaders(
  variables: readonly (Setting | undefined)[],
  given: Setting | undefined,
  rules: HeaderRules,
): Readonly<Record<string, string>> {
  const fromVariables = variables.flatMap((setting) =>
    setting ? parseEach((entry) => headerEntry(entry, rules), entriesOf(setting)) : [],
  );
  const fromCode = givenHeaders(given).map(([key, value]) =>
    givenHeader(`${given?.name ?? ''}.${key}`, key, value, rules),
  );
  return Object.freeze(Object.fromEntries([...fromVariables, ...fromCode]));
}

function headerEntry(entry: Setting, rules: HeaderRules): [name: string, value: string] {
  const [key, value] = keyValue(entry);
  const name = key.toLowerCase();
  if (rules.name.test(name) && rules.value.test(value)) return [name, value];
  throw malformedEntry(entry);
}

function givenHeader(option: string, key: string, value: unknown, rules: HeaderRules): [name: string, value: string] {
  const name = headerName(option, key);
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
  // Not shown: it may be an API key that was written without its header's name.
  throw new TracingConfigurationError(given.name, typeof given.value, "Give an object, such as { 'x-api-key': '…' }.");
}

function headerValue(option: string, value: unknown, rules: HeaderRules): string {
  // Line ends would let one header smuggle in another.
  if (typeof value === 'string' && rules.value.test(value)) return value;
  throw new TracingConfigurationError(
    option,
    typeof value,
    'Give the value of the header as one line of text, in characters that a header may have.',
  );
}
