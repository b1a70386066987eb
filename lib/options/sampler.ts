import { TracingConfigurationError } from '../tracing.errors.js';
import { checkKeys } from './check-keys.js';
import { parseHttpUrl, addPath } from './endpoint.js';
import { parseKeyValues } from './key-values.js';
import { parseFirst } from './lenient.js';
import { parseFraction, parseMilliseconds, parseName } from './parse.js';
import type { Sampler } from './sdk-types.js';
import { readOption, readVariable, type Setting } from './setting.js';
import { isOn } from './switch.js';
import { didYouMean } from './suggest.js';
import type { BooleanOption, NumberOption } from './text-types.js';

const LOCAL_NAMES = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
const REMOTE_NAMES = ['jaeger_remote', 'parentbased_jaeger_remote'] as const;
const NAMES = [...LOCAL_NAMES, ...REMOTE_NAMES];

/** The values of `OTEL_TRACES_SAMPLER` for a decision in this process. */
export type SamplerName = (typeof LOCAL_NAMES)[number];

/** The values of `OTEL_TRACES_SAMPLER` for a decision by the strategy of a Jaeger. */
export type RemoteSamplerName = (typeof REMOTE_NAMES)[number];

/** A sampler by its name, by its ratio, by the address of a Jaeger, or any sampler object of the OpenTelemetry SDK. */
export type SamplerOption =
  SamplerName | RemoteSamplerName | RatioSamplerOptions | JaegerRemoteSamplerOptions | Sampler;

/**
 * Samples a fraction of the traces, chosen by trace id. A service in another language may choose others, so keep `parentBased` if
 * the service has callers.
 */
export interface RatioSamplerOptions {
  /** Fraction of sampled traces, 0 to 1. */
  ratio: NumberOption;
  /** True if the decision of a remote parent is followed, and the ratio applies only to new traces. @default true */
  parentBased?: BooleanOption | undefined;
  /** Keeps traces that the ratio does not sample, if they fail or are slow. @default no trace */
  keep?: KeepOptions | undefined;
}

/**
 * Keeps failed and slow traces that are not sampled. Such a trace is recorded in memory until its local root ends, the first span of the trace
 * in this process. It is then exported or discarded. Each span of a kept trace has the attribute `tailsampling.policy`, with `errors` or
 * `slowerThan`. Other services do not learn of the decision, because it is made after they were called.
 */
export interface KeepOptions {
  /** True to keep a trace if one of its spans in this process has the status ERROR. @default false */
  errors?: BooleanOption | undefined;
  /** Keeps a trace if its local root takes longer, in milliseconds. @default the duration does not matter */
  slowerThan?: NumberOption | undefined;
  /**
   * True to keep also the part of a trace whose caller has decided not to sample it. The other services export nothing of it, so that
   * the backend gets this part only.
   * @default false
   */
  partialTraces?: BooleanOption | undefined;
}

/** Samples by the strategy that a Jaeger has for the service (remote sampling), and follows its changes. */
export interface JaegerRemoteSamplerOptions {
  type: 'jaeger_remote';
  /**
   * HTTP address at which the Jaeger provides strategies. An address without a path gets `/sampling`.
   * @default `http://localhost:5778`
   */
  endpoint?: string | undefined;
  /** Fraction of sampled traces until the first response, 0 to 1. @default 0.001 */
  initialRatio?: NumberOption | undefined;
  /** Time between two requests to the Jaeger, in milliseconds. @default 60000 */
  pollingInterval?: NumberOption | undefined;
  /** True if the decision of a remote parent is followed, and the strategy applies only to new traces. @default true */
  parentBased?: BooleanOption | undefined;
}

export type ResolvedSampler =
  | { readonly type: SamplerName; readonly ratio: number; readonly keep?: ResolvedKeep | undefined }
  | ResolvedRemoteSampler
  | { readonly type: 'custom'; readonly sampler: Sampler };

/** Traces that are exported although they are not sampled. */
export interface ResolvedKeep {
  readonly errors: boolean;
  /** In milliseconds. `Infinity` if the duration does not matter. */
  readonly slowerThan: number;
  readonly partialTraces: boolean;
}

export interface ResolvedRemoteSampler {
  readonly type: RemoteSamplerName;
  /** The address, to which the sampler adds the name of the service. */
  readonly endpoint: string;
  readonly pollingInterval: number;
  readonly initialRatio: number;
}

const ARGUMENT = 'OTEL_TRACES_SAMPLER_ARG';
/** The settings of a remote sampler in `OTEL_TRACES_SAMPLER_ARG`, as OpenTelemetry's specification names them. */
const ARGUMENT_KEYS = ['endpoint', 'pollingIntervalMs', 'initialSamplingRate'];

/** Resolves which traces are sampled. */
export function resolveSampler(given: SamplerOption | undefined, env: NodeJS.ProcessEnv): ResolvedSampler {
  const setting = readOption('sampler', given);
  if (!setting) {
    const named = parseFirst((name) => parseName(name, NAMES), readVariable(env, 'OTEL_TRACES_SAMPLER'));
    return resolveNamed(named ?? 'parentbased_always_on', env);
  }
  const { value } = setting;
  if (typeof value === 'object' && value !== null) {
    if (isSampler(value)) return Object.freeze({ type: 'custom', sampler: value });
    return 'type' in value ? resolveRemote(value) : resolveRatio(value);
  }
  if (typeof value === 'number') {
    throw new TracingConfigurationError('sampler', value, `For a share of the traces, write { ratio: ${value} }.`);
  }
  return resolveNamed(parseName(setting, NAMES), env);
}

function resolveNamed(type: SamplerName | RemoteSamplerName, env: NodeJS.ProcessEnv): ResolvedSampler {
  const argument = readVariable(env, ARGUMENT);
  if (type === 'jaeger_remote' || type === 'parentbased_jaeger_remote') {
    return parseFirst((settings) => parseRemoteArgument(type, settings), argument) ?? createRemote(type);
  }
  if (!type.endsWith('traceidratio')) return Object.freeze({ type, ratio: type.endsWith('off') ? 0 : 1 });
  return Object.freeze({ type, ratio: parseFirst(parseFraction, argument) ?? 1 });
}

function resolveRatio(value: object): ResolvedSampler {
  const options = checkKeys<RatioSamplerOptions>('sampler', value, { ratio: true, parentBased: true, keep: true });
  const ratio = readOption('sampler.ratio', options.ratio);
  if (!ratio) {
    const fix = 'Give a number from 0 to 1. If it comes from your configuration, give that a default.';
    throw new TracingConfigurationError('sampler.ratio', undefined, fix);
  }
  return Object.freeze({
    type: isParentBased(options.parentBased) ? 'parentbased_traceidratio' : 'traceidratio',
    ratio: parseFraction(ratio),
    keep: resolveKeep(options.keep),
  });
}

function resolveKeep(given: KeepOptions | undefined): ResolvedKeep | undefined {
  const setting = readOption('sampler.keep', given);
  if (!setting) return undefined;
  const known = { errors: true, slowerThan: true, partialTraces: true };
  const options = checkKeys<KeepOptions>('sampler.keep', setting.value, known);
  const slowerThan = readOption('sampler.keep.slowerThan', options.slowerThan);
  const keep = {
    errors: isOn('sampler.keep.errors', options.errors, false),
    slowerThan: slowerThan ? parseMilliseconds(slowerThan) : Infinity,
    partialTraces: isOn('sampler.keep.partialTraces', options.partialTraces, false),
  };
  if (keep.errors || slowerThan) return Object.freeze(keep);
  throw new TracingConfigurationError('sampler.keep', setting.value, 'Give errors: true, slowerThan, or both.');
}

function resolveRemote(value: object): ResolvedSampler {
  const options = checkKeys<JaegerRemoteSamplerOptions>('sampler', value, {
    type: true,
    endpoint: true,
    initialRatio: true,
    pollingInterval: true,
    parentBased: true,
  });
  parseName({ name: 'sampler.type', value: options.type }, ['jaeger_remote']);
  return createRemote(
    isParentBased(options.parentBased) ? 'parentbased_jaeger_remote' : 'jaeger_remote',
    readOption('sampler.endpoint', options.endpoint),
    readOption('sampler.pollingInterval', options.pollingInterval),
    readOption('sampler.initialRatio', options.initialRatio),
  );
}

function parseRemoteArgument(type: RemoteSamplerName, argument: Setting): ResolvedSampler {
  const pairs = parseKeyValues(argument);
  for (const key of pairs.keys()) {
    if (ARGUMENT_KEYS.includes(key)) continue;
    const fix = `There is no such key.${didYouMean(key, ARGUMENT_KEYS) || ` Known here: ${ARGUMENT_KEYS.join(', ')}.`}`;
    throw new TracingConfigurationError(ARGUMENT, key, fix);
  }
  const setting = (key: string) => readOption(ARGUMENT, pairs.get(key));
  return createRemote(type, setting('endpoint'), setting('pollingIntervalMs'), setting('initialSamplingRate'));
}

function createRemote(
  type: RemoteSamplerName,
  endpoint?: Setting,
  pollingInterval?: Setting,
  initialRatio?: Setting,
): ResolvedRemoteSampler {
  return Object.freeze({
    type,
    endpoint: addSamplingPath(endpoint ? parseHttpUrl(endpoint) : new URL('http://localhost:5778')),
    pollingInterval: pollingInterval ? parseMilliseconds(pollingInterval) : 60_000,
    // The default of OpenTelemetry's remote samplers in other languages.
    initialRatio: initialRatio ? parseFraction(initialRatio) : 0.001,
  });
}

/** Adds the default path `/sampling`. A collector of Jaeger 1 has another path, which must be part of the option. */
function addSamplingPath(url: URL): string {
  return (url.pathname === '/' ? addPath(url, '/sampling') : url).href;
}

function isParentBased(given: unknown): boolean {
  return isOn('sampler.parentBased', given, true);
}

function isSampler(value: object): value is Sampler {
  return 'shouldSample' in value && typeof value.shouldSample === 'function';
}
