import type { TextMapPropagator } from '@opentelemetry/api';
import { warn } from '../core/diagnostics.js';
import { TracingConfigurationError } from '../tracing.errors.js';
import { nameList } from './name-list.js';
import { oneOf } from './parse.js';
import { variable, type Setting } from './setting.js';

const NAMES = ['tracecontext', 'baggage', 'b3', 'b3multi', 'jaeger', 'xray', 'none'] as const;

/** The values of `OTEL_PROPAGATORS`. */
export type PropagatorName = (typeof NAMES)[number];

/** A propagator by name, or any propagator object of OpenTelemetry. */
export type PropagatorOption = PropagatorName | TextMapPropagator;

export type ResolvedPropagators = readonly (Exclude<PropagatorName, 'none'> | TextMapPropagator)[];

/** Settles in which headers the context travels; nothing in the list means in none. */
export function resolvePropagators(
  given: PropagatorOption | readonly PropagatorOption[] | undefined,
  env: NodeJS.ProcessEnv,
): ResolvedPropagators {
  return Object.freeze(given === undefined ? namedByVariable(env) : givenInCode(given));
}

function namedByVariable(env: NodeJS.ProcessEnv): ResolvedPropagators {
  const named = nameList(variable(env, 'OTEL_PROPAGATORS'), (entry) => oneOf(entry, NAMES));
  if (named) warnOfOrder(named);
  return named ?? ['tracecontext', 'baggage'];
}

// A platform sets it for all its services, in an order that nobody has thought about.
function warnOfOrder(named: readonly string[]): void {
  const w3c = named.indexOf('tracecontext');
  if (w3c === -1 || named.indexOf('xray') < w3c) return;
  const fix = 'Name xray before tracecontext if the caller is to win.';
  warn(
    'variable:OTEL_PROPAGATORS:order',
    `OTEL_PROPAGATORS names xray after tracecontext: a request with both headers continues the trace of X-Amzn-Trace-Id, which API Gateway and other services of AWS add to what their callers send. ${fix}`,
  );
}

function givenInCode(given: PropagatorOption | readonly PropagatorOption[]): ResolvedPropagators {
  const settings = settingsOf(given);
  const found = settings.map(resolvePropagator);
  const none = settings[found.indexOf('none')];
  if (none && found.length > 1) {
    const fix = 'It means no propagator at all: remove it, or the others beside it.';
    throw new TracingConfigurationError(none.name, 'none', fix);
  }
  return [...new Set(found.filter((propagator) => propagator !== 'none'))];
}

function settingsOf(given: PropagatorOption | readonly PropagatorOption[]): readonly Setting[] {
  if (!Array.isArray(given)) return [{ name: 'propagators', value: given }];
  if (given.length > 0) return given.map((value: unknown, index) => ({ name: `propagators[${index}]`, value }));
  throw new TracingConfigurationError('propagators', given, "Name at least one propagator, or use 'none'.");
}

function resolvePropagator(setting: Setting): PropagatorName | TextMapPropagator {
  const { name, value } = setting;
  if (typeof value !== 'object' || value === null) return oneOf(setting, NAMES);
  if (isPropagator(value)) return value;
  const fix = 'A propagator object needs the methods inject(), extract() and fields().';
  throw new TracingConfigurationError(name, Object.keys(value), fix);
}

function isPropagator(value: object): value is TextMapPropagator {
  return ['inject', 'extract', 'fields'].every((method) => typeof Reflect.get(value, method) === 'function');
}
