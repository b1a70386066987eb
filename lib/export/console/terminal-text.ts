import type { HrTime } from '@opentelemetry/api';

/** Styles by meaning. Each is a colour of the terminal's own palette, so that it also fits a light background. */
const STYLES = { strong: 1, faint: 2, error: 31, good: 32, event: 33, kind: 35, time: 36 } as const;

export type Style = keyof typeof STYLES;
export type Painter = (style: Style, text: string) => string;

/** Creates a function that colours text, or one that returns it unchanged. */
export function createPainter(colors: boolean): Painter {
  return colors ? (style, text) => (text ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text) : (_style, text) => text;
}

// With control characters, the data of a request could move the cursor or recolour the screen; with marks of the writing direction,
// it could change the order in which the text is read.
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Escapes the characters of a text that a terminal would interpret, and cuts it to `limit` characters. */
export function printable(text: string, limit: number): string {
  // Cut before the replacement as well, because a value may be thousands of characters long.
  const safe = text.slice(0, limit + 1).replace(UNPRINTABLE, (char) => SHORT_ESCAPES[char] ?? escapeCode(char));
  return safe.length > limit ? `${safe.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '')}…` : safe;
}

function escapeCode(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Converts a time or duration of the SDK to milliseconds. */
export function toMilliseconds([seconds, nanoseconds]: HrTime): number {
  return seconds * 1e3 + nanoseconds / 1e6;
}

/** Formats a duration, such as `0.04 ms`, `48.3 ms`, `312 ms`, `1.24 s` and `2 min 5 s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 0) return `-${formatDuration(-milliseconds)}`;
  if (milliseconds < 0.995) return `${milliseconds.toFixed(2)} ms`;
  if (milliseconds < 99.95) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 999.5) return `${milliseconds.toFixed(0)} ms`;
  const seconds = milliseconds / 1e3;
  if (seconds < 59.995) return `${seconds.toFixed(2)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Formats the time since the start of the trace. */
export function formatOffset(milliseconds: number): string {
  return milliseconds < 0 ? formatDuration(milliseconds) : `+${formatDuration(milliseconds)}`;
}
