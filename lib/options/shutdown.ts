import { knownKeys } from './known-keys.js';
import { flag, milliseconds } from './parse.js';
import { option } from './setting.js';

/** How the last spans leave. */
export interface ShutdownOptions {
  /** Longest time that closing waits for the backend, in milliseconds. @default 5000 */
  timeout?: number;
  /**
   * Also export what is left when the process ends without `app.close()`: on SIGTERM and SIGINT without
   * `app.enableShutdownHooks()`, on an empty event loop, and after a fatal error. Exit codes and signals stay what they are.
   * @default false
   */
  onProcessExit?: boolean;
}

export interface ResolvedShutdown {
  readonly timeout: number;
  readonly onProcessExit: boolean;
}

/** Settles how the last spans leave. */
export function resolveShutdown(given: ShutdownOptions | undefined): ResolvedShutdown {
  const options = knownKeys<ShutdownOptions>('shutdown', given, { timeout: true, onProcessExit: true });
  const timeout = option('shutdown.timeout', options.timeout);
  const onProcessExit = option('shutdown.onProcessExit', options.onProcessExit);
  return Object.freeze({
    timeout: timeout ? milliseconds(timeout, 0) : 5000,
    onProcessExit: onProcessExit ? flag(onProcessExit) : false,
  });
}
