import { createContextKey, type Context } from '@opentelemetry/api';

const MUTED = createContextKey('nestjs-tracing muted commands');

/** The number of arguments among which the first key of a command is, also that of `XREAD BLOCK 1000 STREAMS key id`. */
const MAX_POSITION = 6;

/** The beginnings of keys, with the number of objects that use them. */
const prefixes = new Map<string, number>();

/**
 * Mutes the commands on keys with a prefix, until the returned function is called: they are neither traced nor measured, because a library
 * above Redis, which owns these keys, has spans for what it does.
 */
export function muteKeys(prefix: string): () => void {
  prefixes.set(prefix, (prefixes.get(prefix) ?? 0) + 1);
  let isMuted = true;
  return () => {
    if (!isMuted) return;
    isMuted = false;
    const count = (prefixes.get(prefix) ?? 1) - 1;
    if (count > 0) prefixes.set(prefix, count);
    else prefixes.delete(prefix);
  };
}

/** True if a command is on a muted key. */
export function hasMutedKey(args: readonly unknown[]): boolean {
  if (prefixes.size === 0) return false;
  for (let i = 0; i < args.length && i < MAX_POSITION; i++) {
    const argument = args[i];
    if (typeof argument !== 'string') continue;
    for (const prefix of prefixes.keys()) if (argument.startsWith(prefix)) return true;
  }
  return false;
}

/** Returns a context in which no command is traced or measured. A library above Redis works in it, and calls the application outside of it. */
export function muteCommands(context: Context): Context {
  return context.setValue(MUTED, true);
}

/** True if no command is traced in this context. */
export function areCommandsMuted(context: Context): boolean {
  return context.getValue(MUTED) === true;
}
