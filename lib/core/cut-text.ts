import { Buffer } from 'node:buffer';

const BEYOND_LATIN_1 = /[\u0100-\uffff]/;

/**
 * Returns the first `limit` UTF-16 code units of a string; one less if the limit would split a surrogate pair. The result is a copy: V8
 * implements a slice as a view of the whole string, so that 8 kB of a message could keep 1 MB in memory. A string within the limit is
 * returned as it is.
 */
export function cutText(text: string, limit: number): string {
  return text.length <= limit ? text : copyText(text.slice(0, endBefore(text, limit)));
}

/**
 * Returns a copy of a string with the same code units, lone surrogates included. It is needed for a string that is kept and that may be a
 * view of a longer one, such as a message that the application has cut out of a body.
 */
export function copyText(text: string): string {
  // Latin-1 takes one byte per character, which is also how V8 stores such a string.
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
