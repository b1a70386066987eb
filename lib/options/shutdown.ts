import { checkKeys } from './check-keys.js';
import { parseMilliseconds } from './parse.js';
import { readOption } from './setting.js';
import { isOn } from './switch.js';
import type { BooleanOption, NumberOption } from './text-types.js';

/** The export of the last spans. */
export interface ShutdownOptions {
  /** Longest time that the shutdown waits for the backend, in milliseconds. @default 5000 */
  timeout?: NumberOption | undefined;
  /**
   * True if the last spans are also exported when the process ends without `app.close()`: on SIGTERM and SIGINT without
   * `app.enableShutdownHooks()`, on an empty event loop, and after a fatal error. Exit codes and signals do not change.
   * @default false
   */
  onProcessExit?: BooleanOption | undefined;
}

export interface ResolvedShutdown {
  readonly timeout: number;
  readonly onProcessExit: boolean;
}

/** Resolves the export of the last spans. */
export function resolveShutdown(given: ShutdownOptions | undefined): ResolvedShutdown {
  const options = checkKeys<ShutdownOptions>('shutdown', given, { timeout: true, onProcessExit: true });
  const timeout = readOption('shutdown.timeout', options.timeout);
  return Object.freeze({
    timeout: timeout ? parseMilliseconds(timeout, 0) : 5000,
    onProcessExit: isOn('shutdown.onProcessExit', options.onProcessExit, false),
  });
}
