import type { Attributes } from '@opentelemetry/api';

/** A header, or a metadata entry, that spans record. */
export interface RecordedHeader {
  /** The name in lower case. */
  readonly name: string;
  /** True if its values are redacted. */
  readonly isSecret: boolean;
}

/** Returns an attribute for each recorded header that is present. Its value is a list, as the semantic conventions define it. */
export function headerAttributes(
  recorded: readonly RecordedHeader[],
  attributeName: (name: string) => string,
  readHeader: (name: string) => unknown,
): Attributes {
  const attributes: Attributes = {};
  for (const { name, isSecret } of recorded) {
    const value = readHeader(name);
    if (value === undefined || value === null) continue;
    const values: unknown[] = Array.isArray(value) ? value : [value];
    if (values.length > 0)
      attributes[attributeName(name)] = values.map((item) => (isSecret ? 'REDACTED' : String(item)));
  }
  return attributes;
}
