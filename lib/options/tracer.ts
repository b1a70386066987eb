import { DEFAULT_TRACER } from './default-tracer.js';
import { parseName } from './parse.js';
import { readOption } from './setting.js';

const NAMES = ['builtin', 'sdk'] as const;

/** The name of a tracer. */
export type TracerName = (typeof NAMES)[number];

/** Resolves which tracer creates the spans. */
export function resolveTracer(given: TracerName | undefined): TracerName {
  const setting = readOption('tracer', given);
  return setting ? parseName(setting, NAMES) : DEFAULT_TRACER;
}
