export const AMPERSAND = 0x26;
export const EQUALS = 0x3d;
export const HASH = 0x23;
export const SEMICOLON = 0x3b;
export const SLASH = 0x2f;
const PERCENT = 0x25;
const QUESTION_MARK = 0x3f;

const isDelimiter = new Uint8Array(128);
for (const code of [AMPERSAND, EQUALS, HASH, QUESTION_MARK, SEMICOLON, SLASH]) isDelimiter[code] = 1;

/**
 * Iterates over the delimiters between the names and values of a query or path. Percent-encoded delimiters count as well: a
 * URL that is the value of a parameter is encoded once, and a URL within that URL twice. It creates no objects, because a
 * query may have thousands of parameters.
 */
export class Delimiters {
  /** The character code of the delimiter, decoded. */
  code = 0;
  /** How many times the delimiter is encoded: 0 if it is not. */
  level = 0;
  /** The index of the delimiter's first character. */
  start = 0;
  /** The index after the delimiter's last character. */
  end = 0;

  constructor(
    private readonly text: string,
    from = 0,
  ) {
    this.end = from;
  }

  /** Moves to the next delimiter. Returns false if there is none. */
  next(): boolean {
    const { text } = this;
    for (let index = this.end; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code === PERCENT) {
        if (this.#readEncoded(index)) return true;
      } else if (code < 128 && isDelimiter[code] === 1) {
        this.code = code;
        this.level = 0;
        this.start = index;
        this.end = index + 1;
        return true;
      }
    }
    return false;
  }

  /** Makes `next()` continue at this index. */
  moveTo(index: number): void {
    this.end = index;
  }

  /** Reads an encoded delimiter, such as `%26`, `%2526` or `%252526`: in the latter two, the percent sign is encoded too. */
  #readEncoded(start: number): boolean {
    const { text } = this;
    let digits = start + 1;
    while (text.startsWith('25', digits)) digits += 2;
    const code = hexDigitValue(text.charCodeAt(digits)) * 16 + hexDigitValue(text.charCodeAt(digits + 1));
    if (!(code < 128 && isDelimiter[code] === 1)) return false;
    this.code = code;
    this.level = (digits - start + 1) / 2;
    this.start = start;
    this.end = digits + 2;
    return true;
  }
}

function hexDigitValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}
