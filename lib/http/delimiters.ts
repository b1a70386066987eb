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
 * Walks over the characters that part a query or path into names and values, also those that are percent-encoded: a URL that
 * is the value of a parameter is encoded once, one within that URL twice. Makes no objects on its way: a query may consist of
 * thousands of parameters.
 */
export class Delimiters {
  /** The code of the delimiter, decoded. */
  code = 0;
  /** How often it is encoded: 0 where it stands as it is. */
  level = 0;
  /** Where its text begins, and where it ends. */
  start = 0;
  end = 0;

  constructor(
    private readonly text: string,
    from = 0,
  ) {
    this.end = from;
  }

  /** Goes on to the next delimiter; false if there is none. */
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

  /** Goes on from this index. */
  moveTo(index: number): void {
    this.end = index;
  }

  /** `%26`, `%2526`, `%252526`: the percent sign is encoded as well. */
  #readEncoded(start: number): boolean {
    const { text } = this;
    let digits = start + 1;
    while (text.startsWith('25', digits)) digits += 2;
    const code = hexDigit(text.charCodeAt(digits)) * 16 + hexDigit(text.charCodeAt(digits + 1));
    if (!(code < 128 && isDelimiter[code] === 1)) return false;
    this.code = code;
    this.level = (digits - start + 1) / 2;
    this.start = start;
    this.end = digits + 2;
    return true;
  }
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}
