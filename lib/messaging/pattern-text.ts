import { cutText } from '../core/cut-text.js';
import { callSafely } from '../core/diagnostics.js';

/** The number of characters of a pattern that are recorded. */
const MAX_LENGTH = 256;

/** Returns the text of a pattern: of an object, the text that Nest sends. */
export function patternText(pattern: unknown, owner: object): string {
  if (typeof pattern === 'string') return cutText(withoutSharePrefix(pattern), MAX_LENGTH);
  if (pattern instanceof RegExp) return cutText(String(pattern), MAX_LENGTH);
  const { normalizePattern } = owner as { normalizePattern?: unknown };
  const text = callSafely('Reading a pattern', () =>
    typeof normalizePattern === 'function'
      ? String(Reflect.apply(normalizePattern, owner, [pattern]))
      : JSON.stringify(pattern),
  );
  return cutText(text ?? '', MAX_LENGTH);
}

/** The topic of a shared subscription of MQTT begins with the name of the group: `$share/group/topic`. */
function withoutSharePrefix(pattern: string): string {
  return pattern.startsWith('$share/') ? pattern.split('/').slice(2).join('/') : pattern;
}
