import { types } from 'node:util';
import { diag } from '@opentelemetry/api';
import { cutText } from './cut-text.js';

/** Where the library's own messages go. Nest's `Logger` fits. */
export interface DiagnosticsSink {
  warn(message: string): void;
}

/** A kind of message is written at most once in this time, in milliseconds. */
const INTERVAL = 60_000;
/** Kinds are few; this guards against a key that somebody builds from data. The rest share one. */
const MAX_KINDS = 256;
const OTHER_KINDS = 'other';
/** Characters of a thrown value in a message. */
const MAX_DESCRIPTION = 1024;

const openTelemetryDiag: DiagnosticsSink = diag.createComponentLogger({ namespace: 'nestjs-tracing' });
let sink = openTelemetryDiag;
const kinds = new Map<string, { writtenAt: number; withheld: number }>();

/** Sends messages to `next`, or back to OpenTelemetry's `diag` when it is left out. */
export function setDiagnosticsSink(next?: DiagnosticsSink): void {
  sink = next ?? openTelemetryDiag;
}

/** Says that something is wrong with tracing, once a minute for each `kind`; never throws. */
export function warn(kind: string, message: string): void {
  // Not the wall clock: set back by an hour, it would silence everything for an hour.
  const now = performance.now();
  const key = kinds.has(kind) || kinds.size < MAX_KINDS ? kind : OTHER_KINDS;
  const state = kinds.get(key) ?? { writtenAt: -Infinity, withheld: 0 };
  kinds.set(key, state);
  if (now - state.writtenAt < INTERVAL) {
    state.withheld++;
    return;
  }
  const note = state.withheld > 0 ? ` (${state.withheld} more since)` : '';
  state.writtenAt = now;
  state.withheld = 0;
  try {
    sink.warn(message + note);
  } catch {
    // A logger that fails must not take the request with it.
  }
}

/** Calls what the user wrote; what it throws is reported and answered with `undefined`. */
export function guarded<T>(what: string, call: () => T): T | undefined {
  try {
    const result = call();
    // From an async function, where none is waited for: its failure would end the process.
    if (types.isPromise(result)) void result.then(undefined, (error: unknown) => reportIgnored(what, error));
    return result;
  } catch (error) {
    reportIgnored(what, error);
    return undefined;
  }
}

/**
 * Asks a predicate of the application. Returns undefined where there is no answer: the predicate threw, or it is async. A
 * promise would count as a yes, whatever it resolves to, so it is reported instead.
 */
export function askPredicate(what: string, predicate: () => unknown): boolean | undefined {
  const answer = guarded(what, predicate);
  if (answer === undefined) return undefined;
  if (!types.isPromise(answer)) return Boolean(answer);
  warn(`async:${what}`, `${what} is async and was ignored: it has to answer at once, with true or false.`);
  return undefined;
}

/** Says that something threw and that nobody will hear of it. */
export function reportIgnored(what: string, error: unknown): void {
  warn(`guarded:${what}`, `${what} threw and was ignored: ${describeError(error)}`);
}

/** A short text about anything that was thrown; never throws. */
export function describeError(error: unknown): string {
  return cutText(describe(error), MAX_DESCRIPTION);
}

function describe(error: unknown): string {
  try {
    if (typeof error === 'function') return `function ${error.name}`;
    if (error instanceof Error) {
      const { message, name } = error;
      // An application may have put anything there.
      if (typeof name === 'string' && typeof message === 'string') return describeParts(name, message);
    }
    return String(error);
  } catch {
    return 'an error that cannot be described';
  }
}

/** Each part is cut first: a message of megabytes is not copied to be cut. */
function describeParts(name: string, message: string): string {
  const shownName = cutText(name, MAX_DESCRIPTION);
  return message ? `${shownName}: ${cutText(message, MAX_DESCRIPTION)}` : shownName;
}
