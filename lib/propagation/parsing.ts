const SPACE = 0x20;
const TAB = 0x09;

/** Removes the optional white space of HTTP around a value: spaces and tabs only. */
export function trimOws(text: string, from = 0, to: number = text.length): string {
  let start = from;
  let end = to;
  while (start < end && isOws(text.charCodeAt(start))) start++;
  while (end > start && isOws(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

function isOws(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** True if a string consists of lower-case hexadecimal digits, and not only of zeros. Its length is not checked. */
export function isId(text: string): boolean {
  let nonZeroBits = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const digit = code >= 0x30 && code <= 0x39;
    if (!digit && !(code >= 0x61 && code <= 0x66)) return false;
    nonZeroBits |= code ^ 0x30;
  }
  return nonZeroBits !== 0;
}

/** Parses two lower-case hexadecimal digits at an index. Undefined if they are not such digits. */
export function parseHexByte(text: string, at: number): number | undefined {
  const high = hexDigit(text.charCodeAt(at));
  const low = hexDigit(text.charCodeAt(at + 1));
  return high === undefined || low === undefined ? undefined : high * 16 + low;
}

function hexDigit(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  return undefined;
}
