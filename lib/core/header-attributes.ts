import type { Attributes } from '@opentelemetry/api';

/** A header, or an entry of metadata, that spans are to record. */
export interface RecordedHeader {
  /** In lower case. */
  readonly name: string;
  /** Whether its values are hidden. */
  readonly secret: boolean;
}

/** An attribute for each header that is wanted and present: a list, as the conventions have it. */
export function headerAttributes(
  wanted: readonly RecordedHeader[],
  attribute: (name: string) => string,
  read: (name: string) => unknown,
): Attributes {
  const attributes: Attributes = {};
  for (const { name, secret } of wanted) {
    const value = read(name);
    if (value === undefined || value === null) continue;
    const values: unknown[] = Array.isArray(value) ? value : [value];
    if (values.length > 0) attributes[attribute(name)] = values.map((it) => (secret ? 'REDACTED' : String(it)));
  }
  return attributes;
}
