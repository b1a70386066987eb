import { TracingConfigurationError } from '../tracing.errors.js';
import { DEFAULT_TRACER } from './default-tracer.js';
import { parseName } from './parse.js';
import type { ResolvedSampler } from './sampler.js';
import { readOption } from './setting.js';

const NAMES = ['builtin', 'sdk'] as const;

/** The name of a tracer. */
export type TracerName = (typeof NAMES)[number];

/**
 * Resolves which tracer creates the spans.
 *
 * @param sampler the sampler of the application; only the tracer of the library can keep traces that are not sampled
 */
export function resolveTracer(given: TracerName | undefined, sampler: ResolvedSampler): TracerName {
  const setting = readOption('tracer', given);
  const tracer = setting ? parseName(setting, NAMES) : DEFAULT_TRACER;
  const keep = 'keep' in sampler ? sampler.keep : undefined;
  if (!keep || tracer === 'builtin') return tracer;
  const fix = 'It needs the tracer "builtin". Leave out the option "tracer", or "sampler.keep".';
  throw new TracingConfigurationError('sampler.keep', keep, fix);
}
