import { requirePackage } from '../packages/optional.js';
import { TracingConfigurationError } from '../tracing.errors.js';
import { JAEGER_PACKAGE, resolveJaeger, type JaegerExporterOptions, type ResolvedJaegerExporter } from './jaeger.js';
import { knownKeys } from './known-keys.js';
import { nameList } from './name-list.js';
import { resolveOtlp, type OtlpExporterOptions, type ResolvedOtlpExporter } from './otlp.js';
import { oneOf } from './parse.js';
import type { SpanExporter } from './sdk-types.js';
import { variable, type Setting } from './setting.js';

const NAMES = ['otlp', 'jaeger', 'console', 'memory', 'none'] as const;

/** The names that `exporter` and `OTEL_TRACES_EXPORTER` know. */
export type ExporterName = (typeof NAMES)[number];

/** An exporter by name, by name with settings, or any exporter object of the OpenTelemetry SDK. */
export type ExporterOption =
  ExporterName | OtlpExporterOptions | JaegerExporterOptions | { type: 'console' | 'memory' | 'none' } | SpanExporter;

export type ResolvedExporter =
  | ResolvedOtlpExporter
  | ResolvedJaegerExporter
  | { readonly type: 'console' }
  | { readonly type: 'memory' }
  | { readonly type: 'custom'; readonly exporter: SpanExporter };

/** Settles where spans go; nothing in the list means nowhere. */
export function resolveExporters(
  given: ExporterOption | readonly ExporterOption[] | undefined,
  env: NodeJS.ProcessEnv,
): readonly ResolvedExporter[] {
  return Object.freeze(given === undefined ? namedByVariable(env) : givenInCode(given, env));
}

function namedByVariable(env: NodeJS.ProcessEnv): readonly ResolvedExporter[] {
  const names = nameList(variable(env, 'OTEL_TRACES_EXPORTER'), installedExporter) ?? ['otlp'];
  return names.flatMap((name) => byType(name, 'exporter', {}, env) ?? []);
}

/** A name in a variable must not stop the start where the exporter's package is missing. */
function installedExporter(entry: Setting): ExporterName {
  const name = oneOf(entry, NAMES);
  if (name === 'jaeger') requirePackage(JAEGER_PACKAGE, entry.name, name);
  return name;
}

function givenInCode(
  given: ExporterOption | readonly ExporterOption[],
  env: NodeJS.ProcessEnv,
): readonly ResolvedExporter[] {
  const found = settingsOf(given).map((setting) => ({ setting, exporter: resolveExporter(setting, env) }));
  const none = found.find(({ exporter }) => exporter === undefined);
  if (none && found.length > 1) {
    const fix = 'It means no exporter at all: remove it, or the others beside it.';
    throw new TracingConfigurationError(none.setting.name, 'none', fix);
  }
  return found.flatMap(({ exporter }) => exporter ?? []);
}

function settingsOf(given: ExporterOption | readonly ExporterOption[]): readonly Setting[] {
  if (!Array.isArray(given)) return [{ name: 'exporter', value: given }];
  if (given.length > 0) return given.map((value: unknown, index) => ({ name: `exporter[${index}]`, value }));
  throw new TracingConfigurationError('exporter', given, "Name at least one exporter, or use 'none'.");
}

/** Undefined stands for `none`. */
function resolveExporter(setting: Setting, env: NodeJS.ProcessEnv): ResolvedExporter | undefined {
  const { name, value } = setting;
  if (typeof value !== 'object' || value === null) return byType(oneOf(setting, NAMES), 'exporter', {}, env);
  if (isSpanExporter(value)) return Object.freeze({ type: 'custom', exporter: value });
  return byType(typeOf(name, value), name, value, env);
}

function byType(type: ExporterName, path: string, given: object, env: NodeJS.ProcessEnv): ResolvedExporter | undefined {
  if (type === 'otlp') return resolveOtlp(path, given, env);
  if (type === 'jaeger') return resolveJaeger(path, given, env);
  knownKeys<{ type: ExporterName }>(path, given, { type: true });
  return type === 'none' ? undefined : Object.freeze({ type });
}

function typeOf(path: string, value: object): ExporterName {
  const type = 'type' in value ? value.type : undefined;
  if (type !== undefined) return oneOf({ name: `${path}.type`, value: type }, NAMES);
  const fix = `Use one of: ${NAMES.join(', ')}. An exporter object of your own needs the methods export() and shutdown().`;
  throw new TracingConfigurationError(`${path}.type`, type, fix);
}

function isSpanExporter(value: object): value is SpanExporter {
  return (
    'export' in value &&
    typeof value.export === 'function' &&
    'shutdown' in value &&
    typeof value.shutdown === 'function'
  );
}
