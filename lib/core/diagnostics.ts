import { types } from 'node:util';
import { diag } from '@opentelemetry/api';
import { cutText } from './cut-text.js';

/** The logger that the library writes its own messages to. Nest's `Logger` fits. */
export interface DiagnosticsSink {
  warn(message: string): void;
  log?(message: string): void;
  debug?(message: string): void;
}

/** The time in milliseconds in which a kind of message is written at most once. */
const INTERVAL = 60_000;
/** The limit of the number of kinds, for the case that a caller builds a kind from data. Further kinds share one. */
const MAX_KINDS = 256;
const OTHER_KINDS = 'other';
/** The number of characters that a message shows of a thrown value. */
const MAX_DESCRIPTION = 1024;

/** The kinds of messages of the library. It has no errors: an error that it cannot handle stops the start. */
type MessageKind = 'warn' | 'log' | 'debug';

const ALL_KINDS: ReadonlySet<MessageKind> = new Set(['warn', 'log', 'debug']);
const KINDS_OF_LEVEL: Readonly<Record<string, ReadonlySet<MessageKind>>> = {
  none: new Set(),
  error: new Set(),
  warn: new Set(['warn']),
  info: new Set(['warn', 'log']),
};

/** Writes to OpenTelemetry's `diag`. */
const openTelemetryDiag: DiagnosticsSink = {
  warn: (message) => diag.createComponentLogger({ namespace: 'nestjs-tracing' }).warn(message),
};
let sink = openTelemetryDiag;
let writtenKinds: ReadonlySet<MessageKind> = ALL_KINDS;
const kinds = new Map<string, { writtenAt: number; suppressed: number }>();

/** Sends messages to `next`, or to OpenTelemetry's `diag` if it is undefined. */
export function setDiagnosticsSink(next?: DiagnosticsSink): void {
  sink = next ?? openTelemetryDiag;
}

/** Leaves out the messages below a level of `OTEL_LOG_LEVEL`. Without a level, all of them are written. */
export function setDiagnosticsLevel(level?: string): void {
  writtenKinds = (level !== undefined && KINDS_OF_LEVEL[level]) || ALL_KINDS;
}

/** Warns that something is wrong with tracing, once a minute for each `kind`. Never throws. */
export function warn(kind: string, message: string): void {
  if (!writtenKinds.has('warn')) return;
  // This is the monotonic clock: a wall clock that is set back by an hour would silence all warnings for an hour.
  const now = performance.now();
  const key = kinds.has(kind) || kinds.size < MAX_KINDS ? kind : OTHER_KINDS;
  const state = kinds.get(key) ?? { writtenAt: -Infinity, suppressed: 0 };
  kinds.set(key, state);
  if (now - state.writtenAt < INTERVAL) {
    state.suppressed++;
    return;
  }
  const suffix = state.suppressed > 0 ? ` (${state.suppressed} more since)` : '';
  state.writtenAt = now;
  state.suppressed = 0;
  try {
    sink.warn(message + suffix);
  } catch {
    // A logger that throws must not fail the request.
  }
}

/** Writes a message that is of interest once, at the start. Never throws. */
export function log(message: string): void {
  if (!writtenKinds.has('log')) return;
  try {
    sink.log?.(message);
  } catch {
    // A logger that throws must not fail the start.
  }
}

/** Writes a message for a developer who wants to know how the library is set up. Never throws. */
export function debug(message: string): void {
  if (!writtenKinds.has('debug')) return;
  try {
    sink.debug?.(message);
  } catch {
    // A logger that throws must not fail the start.
  }
}

/** Calls code that may throw, of the application say. Reports what it throws, and then returns undefined. */
export function callSafely<T>(what: string, call: () => T): T | undefined {
  try {
    const result = call();
    // The code may be an async function, which the caller does not await: its rejection would end the process.
    if (types.isPromise(result)) void result.then(undefined, (error: unknown) => reportIgnored(what, error));
    return result;
  } catch (error) {
    reportIgnored(what, error);
    return undefined;
  }
}

/**
 * Calls a predicate of the application. Returns undefined if it has no result: it threw, or it is async. A promise would count as true,
 * whatever it resolves to, so it is reported instead.
 */
export function evaluatePredicate(what: string, predicate: () => unknown): boolean | undefined {
  const result = callPredicate(what, predicate);
  return result === undefined ? undefined : Boolean(result);
}

/** True if a predicate of the application returns exactly `true`. Used where the effect of a yes cannot be undone. */
export function isConfirmed(what: string, predicate: () => unknown): boolean {
  return callPredicate(what, predicate) === true;
}

function callPredicate(what: string, predicate: () => unknown): unknown {
  const result = callSafely(what, predicate);
  if (!types.isPromise(result)) return result;
  warn(`async:${what}`, `${what} is async and was ignored: it has to answer at once, with true or false.`);
  return undefined;
}

/** Warns that something threw and that the exception is ignored. */
export function reportIgnored(what: string, error: unknown): void {
  warn(`guarded:${what}`, `${what} threw and was ignored: ${describeError(error)}`);
}

/** Returns a short description of any thrown value. Never throws. */
export function describeError(error: unknown): string {
  return cutText(describeInFull(error), MAX_DESCRIPTION);
}

function describeInFull(error: unknown): string {
  try {
    if (typeof error === 'function') return `function ${error.name}`;
    if (error instanceof Error) {
      const { message, name } = error;
      // The application may have assigned values of any type.
      if (typeof name === 'string' && typeof message === 'string') return describeParts(name, message);
    }
    return String(error);
  } catch {
    return 'an error that cannot be described';
  }
}

/** Cuts each part before they are joined, so that a message of megabytes is not copied. */
function describeParts(name: string, message: string): string {
  const shownName = cutText(name, MAX_DESCRIPTION);
  return message ? `${shownName}: ${cutText(message, MAX_DESCRIPTION)}` : shownName;
}
