import type { TextMapPropagator } from '@opentelemetry/api';
import { warn } from '../core/diagnostics.js';
import { TracingConfigurationError } from '../tracing.errors.js';
import { choicesInCode, choicesInVariable } from './choices.js';
import { parseName } from './parse.js';
import { readVariable, type Setting } from './setting.js';

const NAMES = ['tracecontext', 'baggage', 'b3', 'b3multi', 'jaeger', 'xray', 'none'] as const;

/** The values of `OTEL_PROPAGATORS`. */
export type PropagatorName = (typeof NAMES)[number];

/** A propagator by its name, or any propagator object of OpenTelemetry. */
export type PropagatorOption = PropagatorName | TextMapPropagator;

export type ResolvedPropagators = readonly (Exclude<PropagatorName, 'none'> | TextMapPropagator)[];

/** Resolves which propagators write and read the headers of trace context and baggage. The list is empty if there are none. */
export function resolvePropagators(
  given: PropagatorOption | readonly PropagatorOption[] | undefined,
  env: NodeJS.ProcessEnv,
): ResolvedPropagators {
  if (given === undefined) return Object.freeze(propagatorsInVariable(env));
  return Object.freeze([...new Set(choicesInCode('propagators', given, 'propagator', checkPropagator))]);
}

function propagatorsInVariable(env: NodeJS.ProcessEnv): ResolvedPropagators {
  const named = choicesInVariable(readVariable(env, 'OTEL_PROPAGATORS'), (entry) => parseName(entry, NAMES));
  if (named) warnOfOrder(named);
  return named ?? ['tracecontext', 'baggage'];
}

/** The variable is often set for all services of a platform, and its order is then seldom a decision about this one. */
function warnOfOrder(named: readonly string[]): void {
  const w3c = named.indexOf('tracecontext');
  if (w3c === -1 || named.indexOf('xray') < w3c) return;
  const fix = 'Name xray before tracecontext if the caller is to win.';
  warn(
    'variable:OTEL_PROPAGATORS:order',
    `OTEL_PROPAGATORS names xray after tracecontext: a request with both headers continues the trace of X-Amzn-Trace-Id, which API Gateway and other services of AWS add to what their callers send. ${fix}`,
  );
}

function checkPropagator(choice: Setting): PropagatorName | TextMapPropagator {
  const { name, value } = choice;
  if (typeof value !== 'object' || value === null) return parseName(choice, NAMES);
  if (isPropagator(value)) return value;
  const fix = 'A propagator object needs the methods inject(), extract() and fields().';
  throw new TracingConfigurationError(name, Object.keys(value), fix);
}

function isPropagator(value: object): value is TextMapPropagator {
  return ['inject', 'extract', 'fields'].every((method) => typeof Reflect.get(value, method) === 'function');
}
