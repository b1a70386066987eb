import { TracingConfigurationError } from '../tracing.errors.js';
import type { ExporterName, SpanExporter, TracingOptions } from '../tracing.options.js';
import { resolveJaeger } from './jaeger.js';
import { knownKeys } from './known-keys.js';
import { resolveOtlp } from './otlp.js';
import { commaList, oneOf } from './parse.js';
import type { ResolvedExporter } from './resolved-options.js';
import { option, variable, type Setting } from './setting.js';

const NAMES: readonly ExporterName[] = ['otlp', 'jaeger', 'console', 'memory', 'none'];

/** Settles where spans go; nothing in the list means nowhere. */
export function resolveExporters(
  given: TracingOptions['exporter'],
  env: NodeJS.ProcessEnv,
): readonly ResolvedExporter[] {
  const found = chosen(given, env).map((setting) => ({ setting, exporter: resolveExporter(setting, env) }));
  const none = found.find(({ exporter }) => exporter === undefined);
  if (none && found.length > 1) {
    const fix = 'It means no exporter at all: remove it, or the others beside it.';
    throw new TracingConfigurationError(none.setting.name, 'none', fix);
  }
  return Object.freeze(found.flatMap(({ exporter }) => exporter ?? []));
}

function chosen(given: TracingOptions['exporter'], env: NodeJS.ProcessEnv): readonly Setting[] {
  if (Array.isArray(given)) {
    if (given.length > 0) return given.map((value: unknown, index) => ({ name: `exporter[${index}]`, value }));
    throw new TracingConfigurationError('exporter', given, "Name at least one exporter, or use 'none'.");
  }
  const single = option('exporter', given);
  if (single) return [single];
  const listed = variable(env, 'OTEL_TRACES_EXPORTER');
  if (listed) return commaList(listed).map((value) => ({ name: listed.name, value }));
  return [{ name: 'exporter', value: 'otlp' }];
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
  knownKeys<{ type: ExporterName }>(path, given, ['type']);
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
