import { TracingConfigurationError } from '../tracing.errors.js';
import { httpUrl, withPath } from './endpoint.js';
import { keyValues } from './key-values.js';
import { knownKeys } from './known-keys.js';
import { parseFirst } from './lenient.js';
import { flag, fraction, milliseconds, oneOf } from './parse.js';
import type { Sampler } from './sdk-types.js';
import { option, variable, type Setting } from './setting.js';
import { didYouMean } from './suggest.js';

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

/** The values of `OTEL_TRACES_SAMPLER` that need no more than a ratio. */
export type SamplerName = (typeof LOCAL_NAMES)[number];

/** The values of `OTEL_TRACES_SAMPLER` by which Jaeger says what is kept. */
export type RemoteSamplerName = (typeof REMOTE_NAMES)[number];

/** A sampler by name, by the share of traces it keeps, as Jaeger says, or any sampler object of the OpenTelemetry SDK. */
export type SamplerOption =
  SamplerName | RemoteSamplerName | RatioSamplerOptions | JaegerRemoteSamplerOptions | Sampler;

/**
 * Keeps a share of the traces, chosen by trace id. Services in other languages may choose other ones, so leave
 * `parentBased` on wherever there is a caller.
 */
export interface RatioSamplerOptions {
  /** Fraction of traces kept, 0 to 1. */
  ratio: number;
  /** Whether a caller's decision goes before the ratio. @default true */
  parentBased?: boolean;
}

/** Samples as Jaeger's remote sampling says for the service, and follows when that changes. */
export interface JaegerRemoteSamplerOptions {
  type: 'jaeger_remote';
  /**
   * Where Jaeger answers over HTTP: `/sampling` is added where there is no path.
   * @default `http://localhost:5778`
   */
  endpoint?: string;
  /** Fraction of traces kept until the first answer, 0 to 1. @default 0.001 */
  initialRatio?: number;
  /** Time between two questions, in milliseconds. @default 60000 */
  pollingInterval?: number;
  /** Whether a caller's decision goes before that of Jaeger. @default true */
  parentBased?: boolean;
}

export type ResolvedSampler =
  | { readonly type: SamplerName; readonly ratio: number }
  | ResolvedRemoteSampler
  | { readonly type: 'custom'; readonly sampler: Sampler };

export interface ResolvedRemoteSampler {
  readonly type: RemoteSamplerName;
  /** Complete but for the name of the service. */
  readonly endpoint: string;
  readonly pollingInterval: number;
  readonly initialRatio: number;
}

const ARGUMENT = 'OTEL_TRACES_SAMPLER_ARG';
/** What OpenTelemetry's specification calls the settings of a remote sampler. */
const ARGUMENT_KEYS = ['endpoint', 'pollingIntervalMs', 'initialSamplingRate'];

/** Settles which traces are kept. */
export function resolveSampler(given: SamplerOption | undefined, env: NodeJS.ProcessEnv): ResolvedSampler {
  const setting = option('sampler', given);
  if (!setting) {
    const named = parseFirst((name) => oneOf(name, NAMES), variable(env, 'OTEL_TRACES_SAMPLER'));
    return byName(named ?? 'parentbased_always_on', env);
  }
  const { value } = setting;
  if (typeof value === 'object' && value !== null) {
    if (isSampler(value)) return Object.freeze({ type: 'custom', sampler: value });
    return 'type' in value ? remote(value) : byRatio(value);
  }
  if (typeof value === 'number') {
    throw new TracingConfigurationError('sampler', value, `For a share of the traces, write { ratio: ${value} }.`);
  }
  return byName(oneOf(setting, NAMES), env);
}

function byName(type: SamplerName | RemoteSamplerName, env: NodeJS.ProcessEnv): ResolvedSampler {
  const argument = variable(env, ARGUMENT);
  if (type === 'jaeger_remote' || type === 'parentbased_jaeger_remote') {
    return parseFirst((settings) => remoteByArgument(type, settings), argument) ?? remoteSampler(type);
  }
  if (!type.endsWith('traceidratio')) return Object.freeze({ type, ratio: type.endsWith('off') ? 0 : 1 });
  return Object.freeze({ type, ratio: parseFirst(fraction, argument) ?? 1 });
}

function byRatio(value: object): ResolvedSampler {
  const options = knownKeys<RatioSamplerOptions>('sampler', value, { ratio: true, parentBased: true });
  const ratio = option('sampler.ratio', options.ratio);
  if (!ratio) {
    const fix = 'Give a number from 0 to 1. If it comes from your configuration, give that a default.';
    throw new TracingConfigurationError('sampler.ratio', undefined, fix);
  }
  return Object.freeze({
    type: isParentBased(options.parentBased) ? 'parentbased_traceidratio' : 'traceidratio',
    ratio: fraction(ratio),
  });
}

function remote(value: object): ResolvedSampler {
  const options = knownKeys<JaegerRemoteSamplerOptions>('sampler', value, {
    type: true,
    endpoint: true,
    initialRatio: true,
    pollingInterval: true,
    parentBased: true,
  });
  oneOf({ name: 'sampler.type', value: options.type }, ['jaeger_remote']);
  return remoteSampler(
    isParentBased(options.parentBased) ? 'parentbased_jaeger_remote' : 'jaeger_remote',
    option('sampler.endpoint', options.endpoint),
    option('sampler.pollingInterval', options.pollingInterval),
    option('sampler.initialRatio', options.initialRatio),
  );
}

function remoteByArgument(type: RemoteSamplerName, argument: Setting): ResolvedSampler {
  const pairs = keyValues(argument);
  for (const key of pairs.keys()) {
    if (ARGUMENT_KEYS.includes(key)) continue;
    const fix = `There is no such key.${didYouMean(key, ARGUMENT_KEYS) || ` Known here: ${ARGUMENT_KEYS.join(', ')}.`}`;
    throw new TracingConfigurationError(ARGUMENT, key, fix);
  }
  const setting = (key: string) => option(ARGUMENT, pairs.get(key));
  return remoteSampler(type, setting('endpoint'), setting('pollingIntervalMs'), setting('initialSamplingRate'));
}

function remoteSampler(
  type: RemoteSamplerName,
  endpoint?: Setting,
  pollingInterval?: Setting,
  initialRatio?: Setting,
): ResolvedRemoteSampler {
  return Object.freeze({
    type,
    endpoint: samplingUrl(endpoint ? httpUrl(endpoint) : new URL('http://localhost:5778')),
    pollingInterval: pollingInterval ? milliseconds(pollingInterval) : 60_000,
    // As in OpenTelemetry's other languages.
    initialRatio: initialRatio ? fraction(initialRatio) : 0.001,
  });
}

/** Jaeger answers at `/sampling`, and a collector of Jaeger 1 at another path, which has to be given. */
function samplingUrl(url: URL): string {
  return (url.pathname === '/' ? withPath(url, '/sampling') : url).href;
}

function isParentBased(given: unknown): boolean {
  const parentBased = option('sampler.parentBased', given);
  return !parentBased || flag(parentBased);
}

function isSampler(value: object): value is Sampler {
  return 'shouldSample' in value && typeof value.shouldSample === 'function';
}
