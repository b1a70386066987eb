import { isDeepStrictEqual } from 'node:util';
import type { SpanSnapshot } from './span-snapshot.js';
import { exceptionOf } from './exception-text.js';

/** The properties that a span is to have. Those that are left out do not matter. */
export interface SpanPattern {
  readonly name?: string | RegExp;
  readonly kind?: SpanSnapshot['kind'];
  readonly status?: SpanSnapshot['status'];
  /** The first exception that the span has recorded, as `Type: message`. */
  readonly exception?: string | RegExp;
  /**
   * Attributes that the span has to have, among others. An expected value may also be a regular expression, or a matcher such as
   * `expect.any(Number)`. An attribute that is expected to be undefined must be missing.
   */
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** The span to look for: its name, a regular expression for the name, some of its properties, or a function. */
export type SpanMatch = string | RegExp | SpanPattern | ((span: SpanSnapshot) => boolean);

/** True if a span is the one to look for. */
export function matchesSpan(span: SpanSnapshot, match: SpanMatch): boolean {
  if (typeof match === 'function') return match(span);
  if (typeof match === 'string' || match instanceof RegExp) return matchesValue(span.name, match);
  const { attributes = {}, exception, kind, name, status } = match;
  return (
    (name === undefined || matchesValue(span.name, name)) &&
    (kind === undefined || kind === span.kind) &&
    (status === undefined || status === span.status) &&
    (exception === undefined || matchesValue(exceptionOf(span), exception)) &&
    Object.entries(attributes).every(([key, expected]) => matchesValue(span.attributes[key], expected))
  );
}

/** True if a value is as expected: equal to it, or accepted by a regular expression, or by a matcher of Jest or Vitest. */
export function matchesValue(actual: unknown, expected: unknown): boolean {
  // A regular expression with the flag `g` or `y` would remember where it has found something.
  if (expected instanceof RegExp) return typeof actual === 'string' && actual.search(expected) !== -1;
  return isAsymmetricMatcher(expected) ? expected.asymmetricMatch(actual) : isDeepStrictEqual(actual, expected);
}

/** Describes an expected span, for a message. */
export function describeMatch(match: SpanMatch): string {
  if (typeof match === 'function') return 'the function';
  if (typeof match === 'string') return `"${match}"`;
  return describeValue(match);
}

/** Describes an expected value, for a message. */
export function describeValue(value: unknown): string {
  if (value instanceof RegExp) return String(value);
  if (isAsymmetricMatcher(value)) return describeMatcher(value);
  return (
    JSON.stringify(value, (_, part: unknown) =>
      part instanceof RegExp || (part !== value && isAsymmetricMatcher(part)) ? describeValue(part) : part,
    ) ?? String(value)
  );
}

function describeMatcher(matcher: AsymmetricMatcher): string {
  const { sample } = matcher;
  const shown = sample === undefined ? '' : `<${describeValue(sample)}>`;
  return matcher.toAsymmetricMatcher?.() ?? `${matcher.toString()}${shown}`;
}

/** A matcher such as `expect.any(Number)`, as Jest and Vitest have it. */
interface AsymmetricMatcher {
  /** The value that the matcher compares with. */
  readonly sample?: unknown;
  asymmetricMatch(actual: unknown): boolean;
  toString(): string;
  toAsymmetricMatcher?(): string;
}

function isAsymmetricMatcher(value: unknown): value is AsymmetricMatcher {
  return (
    typeof value === 'object' &&
    value !== null &&
    'asymmetricMatch' in value &&
    typeof value.asymmetricMatch === 'function'
  );
}
