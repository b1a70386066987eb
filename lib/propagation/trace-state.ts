import type { SpanContext, TraceState as ApiTraceState } from '@opentelemetry/api';
import { trimOws } from './text.js';

/** The caller, or whoever began the trace, has made its id at random: W3C's flag. */
export const RANDOM = 0x1;
/** The trace is to be kept by all means: the debug flag of b3 and Jaeger. */
export const DEBUG = 0x2;
/** The caller leaves it to us whether the trace is sampled: b3 without a sampling state. */
export const UNDECIDED = 0x4;

const MAX_MEMBERS = 32;
const MAX_LENGTH = 512;
/** Members longer than this go first when there is no room for all. */
const LONG_MEMBER = 128;

// Of the W3C's level 2, where a key may begin with a digit and have an @ anywhere.
const KEY = /^[a-z0-9][a-z0-9_\-*/@]{0,255}$/;
const VALUE = /^[ !-+\--<>-~]{0,255}[!-+\--<>-~]$/;

// By name, so that two copies of this library understand each other.
const TRAITS = Symbol.for('nestjs-tracing:trace-traits');

/**
 * The `tracestate` of W3C, and beside it the traits of the trace for which the SDK has no place. A trace state is what
 * the SDK hands on from each span to its children, sampled or not, so the traits arrive wherever the trace does.
 *
 * Members that are malformed are left out, of several with one key the first counts, and what there is no room for goes
 * as the W3C says: long members first, then from the end.
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
    return (this.#serialized ??= [...this.#members].map(memberText).join(','));
  }

  /** The same members with other traits. */
  withTraits(traits: number): TraceState {
    return traits === this[TRAITS] ? this : new TraceState(this.#raw, traits, this.#parsed);
  }

  get #members(): ReadonlyMap<string, string> {
    return (this.#parsed ??= parse(this.#raw));
  }

  #with(members: [string, string][]): TraceState {
    return new TraceState('', this[TRAITS], fit(new Map(members.slice(0, MAX_MEMBERS))));
  }
}

/** With no members, one for each combination of traits. */
const EMPTY = Array.from({ length: 8 }, (_, traits) => new TraceState('', traits));

/** The traits of the trace that a span belongs to. */
export function traitsOf(span: SpanContext | undefined): number {
  return (span?.traceState as { [TRAITS]?: number } | undefined)?.[TRAITS] ?? 0;
}

/** A trace state with these traits and the members of another; undefined where there is nothing to say. */
export function stateWith(traits: number, members?: ApiTraceState): TraceState | undefined {
  if (members instanceof TraceState) return members.withTraits(traits);
  if (members) return new TraceState(members.serialize(), traits);
  return traits === 0 ? undefined : EMPTY[traits];
}

/** What of a trace state may leave: one of another maker is held to the same rules. */
export function stateText(state: ApiTraceState | undefined): string {
  if (!state) return '';
  return (state instanceof TraceState ? state : new TraceState(state.serialize())).serialize();
}

function parse(raw: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  for (let start = 0; start < raw.length && members.size < MAX_MEMBERS;) {
    const comma = raw.indexOf(',', start);
    const end = comma === -1 ? raw.length : comma;
    addMember(members, trimOws(raw, start, end));
    start = end + 1;
  }
  return fit(members);
}

function addMember(members: Map<string, string>, text: string): void {
  const equals = text.indexOf('=');
  if (equals === -1) return;
  const key = text.slice(0, equals);
  const value = text.slice(equals + 1);
  if (KEY.test(key) && VALUE.test(value) && !members.has(key)) members.set(key, value);
}

function fit(members: Map<string, string>): ReadonlyMap<string, string> {
  let length = -1;
  for (const [key, value] of members) length += key.length + value.length + 2;
  if (length <= MAX_LENGTH) return members;
  const fromTheEnd = [...members].toReversed();
  const long = fromTheEnd.filter((member) => memberText(member).length > LONG_MEMBER);
  for (const member of [...long, ...fromTheEnd]) {
    if (length <= MAX_LENGTH) break;
    if (members.delete(member[0])) length -= memberText(member).length + 1;
  }
  return members;
}

function memberText([key, value]: readonly [string, string]): string {
  return `${key}=${value}`;
}
