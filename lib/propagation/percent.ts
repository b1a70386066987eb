const ENCODED = /(?:%[\da-f]{2})+/gi;

/** Percent-encodes all characters except letters, digits and `-_.!~*'()`. A lone surrogate becomes U+FFFD. */
export function encodePercent(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return encodeURIComponent(Buffer.from(text).toString());
  }
}

/** Decodes percent-encoding. Bytes that are not UTF-8 become U+FFFD, and a `%` that encodes nothing stays. */
export function decodePercent(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(ENCODED, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString());
  }
}
