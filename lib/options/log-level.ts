import { parseFirst } from './lenient.js';
import { parseName } from './parse.js';
import { readVariable } from './setting.js';

const LEVELS = ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'] as const;

/** The level of the library's own messages, from the least to the most. */
export type LogLevelName = (typeof LEVELS)[number];

/** Resolves the level of the library's own messages. Undefined if the levels of Nest's logger alone decide. */
export function resolveLogLevel(env: NodeJS.ProcessEnv): LogLevelName | undefined {
  return parseFirst((level) => parseName(level, LEVELS), readVariable(env, 'OTEL_LOG_LEVEL'));
}
