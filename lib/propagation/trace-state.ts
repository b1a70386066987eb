import type { SpanContext, TraceState as ApiTraceState } from '@opentelemetry/api';
import { trimOws } from './parsing.js';

/** The trace id is random: the flag of W3C. */
export const RANDOM = 0x1;
/** The trace must be sampled: the debug flag of b3 and Jaeger. */
export const DEBUG = 0x2;
/** The caller leaves the sampling decision to the receiver: b3 without a sampling state. */
export const UNDECIDED = 0x4;

const MAX_MEMBERS = 32;
const MAX_LENGTH = 512;
/** Longer members are removed first if there is not room for all. */
const LONG_MEMBER = 128;

// By level 2 of the specification, in which a key may start with a digit and have an @ anywhere.
const KEY = /^[a-z0-9][a-z0-9_\-*/@]{0,255}$/;
const VALUE = /^[ !-+\--<>-~]{0,255}[!-+\--<>-~]$/;

// A symbol by name, so that two copies of the library in one process read each other's traits.
const TRAITS = Symbol.for('nestjs-tracing:trace-traits');

/**
 * The `tracestate` of W3C, and the traits of the trace, for which the SDK has no field: `RANDOM`, `DEBUG` and `UNDECIDED`. The SDK
 * passes the trace state on from each span to its children, sampled or not, so the traits reach every span of the trace.
 *
 * A trace state with a malformed member, or with more members than allowed, is discarded as a whole: the validation service of W3C expects
 * that. If several members have the same key, the first counts. If there is not room for all, members are removed as W3C requires: long
 * ones first, then from the end.
 */
export class TraceState implements ApiTraceState {
  readonly [TRAITS]: number;
  readonly #raw: string;
  #parsed: ReadonlyMap<string, string> | undefined;
  #serialized: string | undefined;

  constructor(raw: string, traits = 0, members?: ReadonlyMap<string, string>) {
    this.#raw = raw;
    this.#parsed = members;
    this[TRAITS] = traits;
  }

  get(key: string): string | undefined {
    return this.#members.get(key);
  }

  set(key: string, value: string): TraceState {
    if (!KEY.test(key) || !VALUE.test(value)) return this;
    const others = [...this.#members].filter(([other]) => other !== key);
    return this.#with([[key, value], ...others]);
  }

  unset(key: string): TraceState {
    if (!this.#members.has(key)) return this;
    return this.#with([...this.#members].filter(([other]) => other !== key));
  }

  serialize(): string {
    return (this.#serialized ??= [...this.#members].map(formatMember).join(','));
  }

  /** Returns a trace state with the same members and these traits. */
  withTraits(traits: number): TraceState {
    return traits === this[TRAITS] ? this : new TraceState(this.#raw, traits, this.#parsed);
  }

  get #members(): ReadonlyMap<string, string> {
    return (this.#parsed ??= parse(this.#raw));
  }

  #with(members: [string, string][]): TraceState {
    return new TraceState('', this[TRAITS], removeExcess(new Map(members.slice(0, MAX_MEMBERS))));
  }
}

/** Trace states without members, one for each combination of traits. */
const EMPTY = Array.from({ length: 8 }, (_, traits) => new TraceState('', traits));

/** Returns the traits of the trace to which a span belongs. */
export function traitsOf(span: SpanContext | undefined): number {
  return (span?.traceState as { [TRAITS]?: number } | undefined)?.[TRAITS] ?? 0;
}

/** Returns a trace state with these traits and the members of another. Undefined if it has neither. */
export function traceStateWith(traits: number, members?: ApiTraceState): TraceState | undefined {
  if (members instanceof TraceState) return members.withTraits(traits);
  if (members) return new TraceState(members.serialize(), traits);
  return traits === 0 ? undefined : EMPTY[traits];
}

/** Serializes a trace state by the rules of W3C, also one that is not of this class. */
export function serializeTraceState(state: ApiTraceState | undefined): string {
  if (!state) return '';
  return (state instanceof TraceState ? state : new TraceState(state.serialize())).serialize();
}

const NO_MEMBERS: ReadonlyMap<string, string> = new Map();

function parse(raw: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let count = 0;
  for (let start = 0; start < raw.length;) {
    const comma = raw.indexOf(',', start);
    const end = comma === -1 ? raw.length : comma;
    const member = trimOws(raw, start, end);
    start = end + 1;
    // W3C allows empty members.
    if (member === '') continue;
    if (++count > MAX_MEMBERS || !addMember(members, member)) return NO_MEMBERS;
  }
  return removeExcess(members);
}

/** Adds a member unless its key is there already. Returns false if it is malformed. */
function addMember(members: Map<string, string>, member: string): boolean {
  const equals = member.indexOf('=');
  if (equals === -1) return false;
  const key = member.slice(0, equals);
  const value = member.slice(equals + 1);
  if (!KEY.test(key) || !VALUE.test(value)) return false;
  if (!members.has(key)) members.set(key, value);
  return true;
}

function removeExcess(members: Map<string, string>): ReadonlyMap<string, string> {
  let length = -1;
  for (const [key, value] of members) length += key.length + value.length + 2;
  if (length <= MAX_LENGTH) return members;
  const fromEnd = [...members].toReversed();
  const long = fromEnd.filter((member) => formatMember(member).length > LONG_MEMBER);
  for (const member of [...long, ...fromEnd]) {
    if (length <= MAX_LENGTH) break;
    if (members.delete(member[0])) length -= formatMember(member).length + 1;
  }
  return members;
}

function formatMember([key, value]: readonly [string, string]): string {
  return `${key}=${value}`;
}
