const SPACE = 0x20;
const TAB = 0x09;

/** Without the spaces and tabs around it; other white space is no optional white space of HTTP. */
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

/** Whether all of it is lower-case hexadecimal digits, and not only zeros. */
export function isId(text: string): boolean {
  let anything = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const digit = code >= 0x30 && code <= 0x39;
    if (!digit && !(code >= 0x61 && code <= 0x66)) return false;
    anything |= code ^ 0x30;
  }
  return anything !== 0;
}

/** Two lower-case hexadecimal digits as a number; undefined where they are none. */
export function hexByte(text: string, at: number): number | undefined {
  const high = hexDigit(text.charCodeAt(at));
  const low = hexDigit(text.charCodeAt(at + 1));
  return high === undefined || low === undefined ? undefined : high * 16 + low;
}

function hexDigit(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  return undefined;
}
