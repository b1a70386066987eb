import { Buffer } from 'node:buffer';

const BEYOND_LATIN_1 = /[\u0100-\uffff]/;

/**
 * The first `limit` UTF-16 code units of a text; one less where the limit would split a surrogate pair. The result is a
 * copy: V8 implements a slice as a view of the whole text, so that 8 kB of a message would keep 1 MB in memory. A text
 * within the limit is returned as it is.
 */
export function cutText(text: string, limit: number): string {
  return text.length <= limit ? text : copyText(text.slice(0, endBefore(text, limit)));
}

/**
 * A copy of a text, with every code unit as it was, lone surrogates too. Needed for a text that is kept and that may be a
 * view of a longer one, such as a message that the application has cut out of a body.
 */
export function copyText(text: string): string {
  // One byte per character where that is enough, as V8 stores such a text.
  const encoding = BEYOND_LATIN_1.test(text) ? 'utf16le' : 'latin1';
  return Buffer.from(text, encoding).toString(encoding);
}

function endBefore(text: string, limit: number): number {
  const end = Math.max(0, Math.trunc(limit));
  return isHighSurrogate(text.charCodeAt(end - 1)) && isLowSurrogate(text.charCodeAt(end)) ? end - 1 : end;
}

function isHighSurrogate(codeUnit: number): boolean {
  return codeUnit >= 0xd800 && codeUnit <= 0xdbff;
}

function isLowSurrogate(codeUnit: number): boolean {
  return codeUnit >= 0xdc00 && codeUnit <= 0xdfff;
}
