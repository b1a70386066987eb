import { requirePackage } from '../packages/optional.js';
import { isObject } from '../core/is-object.js';
import { TracingConfigurationError } from '../tracing.errors.js';
import { checkKeys } from './check-keys.js';
import { choicesInCode, choicesInVariable } from './choices.js';
import { JAEGER_PACKAGE, resolveJaeger, type JaegerExporterOptions, type ResolvedJaegerExporter } from './jaeger.js';
import type { ResolvedOtlpExporter } from './otlp-signal.js';
import { resolveOtlp, type OtlpExporterOptions } from './otlp.js';
import { parseName } from './parse.js';
import type { SpanExporter } from './sdk-types.js';
import { readVariable, type Setting } from './setting.js';

const NAMES = ['otlp', 'jaeger', 'console', 'memory', 'none'] as const;

/** The names of exporters, in `exporter` and in `OTEL_TRACES_EXPORTER`. */
export type ExporterName = (typeof NAMES)[number];

/** An exporter by its name, by its name with settings, or any exporter object of the OpenTelemetry SDK. */
export type ExporterOption =
  ExporterName | OtlpExporterOptions | JaegerExporterOptions | PlainExporterOptions | SpanExporter;

/** An exporter without settings. */
interface PlainExporterOptions {
  type: 'console' | 'memory' | 'none';
}

export type ResolvedExporter =
  | ResolvedOtlpExporter
  | ResolvedJaegerExporter
  | { readonly type: 'console' }
  | { readonly type: 'memory' }
  | { readonly type: 'custom'; readonly exporter: SpanExporter };

/** Resolves which exporters receive the finished spans. The list is empty if no spans are exported. */
export function resolveExporters(
  given: ExporterOption | readonly ExporterOption[] | undefined,
  env: NodeJS.ProcessEnv,
): readonly ResolvedExporter[] {
  if (given === undefined) return Object.freeze(exportersInVariable(env));
  return Object.freeze(choicesInCode('exporter', given, 'exporter', (choice) => resolveExporter(choice, env)));
}

/** Returns the OTLP exporter that is given in code with settings, and the name of its option. */
export function givenOtlpExporter(
  given: ExporterOption | readonly ExporterOption[] | undefined,
): { readonly path: string; readonly options: OtlpExporterOptions } | undefined {
  const choices: readonly unknown[] = Array.isArray(given) ? given : [given];
  const index = choices.findIndex((choice) => isObject(choice) && 'type' in choice && choice.type === 'otlp');
  if (index < 0) return undefined;
  const path = Array.isArray(given) ? `exporter[${index}]` : 'exporter';
  return { path, options: choices[index] as OtlpExporterOptions };
}

function exportersInVariable(env: NodeJS.ProcessEnv): ResolvedExporter[] {
  const names = choicesInVariable(readVariable(env, 'OTEL_TRACES_EXPORTER'), (entry) =>
    installedExporter(entry, env),
  ) ?? ['otlp'];
  return names.map((name) => resolveType(name, 'exporter', {}, env)).filter((exporter) => exporter !== 'none');
}

/** Refuses an exporter whose package is missing, so that the variable is ignored and the application starts. */
function installedExporter(entry: Setting, env: NodeJS.ProcessEnv): ExporterName {
  const name = parseName(entry, NAMES);
  // A collector needs no package. An address that cannot be used is ignored later, so that an agent is left.
  const hasCollector = /^https?:/i.test(env.OTEL_EXPORTER_JAEGER_ENDPOINT ?? '');
  if (name === 'jaeger' && !hasCollector) requirePackage(JAEGER_PACKAGE, entry.name, name);
  return name;
}

function resolveExporter(choice: Setting, env: NodeJS.ProcessEnv): ResolvedExporter | 'none' {
  const { name, value } = choice;
  if (typeof value !== 'object' || value === null) return resolveType(parseName(choice, NAMES), 'exporter', {}, env);
  if (isSpanExporter(value)) return Object.freeze({ type: 'custom', exporter: value });
  return resolveType(typeOf(name, value), name, value, env);
}

function resolveType(
  type: ExporterName,
  path: string,
  given: object,
  env: NodeJS.ProcessEnv,
): ResolvedExporter | 'none' {
  switch (type) {
    case 'otlp':
      return resolveOtlp(path, given, env);
    case 'jaeger':
      return resolveJaeger(path, given, env);
    case 'console':
    case 'memory':
    case 'none':
      checkKeys<PlainExporterOptions>(path, given, { type: true });
      return type === 'none' ? type : Object.freeze({ type });
  }
}

function typeOf(path: string, value: object): ExporterName {
  const type = 'type' in value ? value.type : undefined;
  if (type !== undefined) return parseName({ name: `${path}.type`, value: type }, NAMES);
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
