import type { Buffer } from 'node:buffer';
import type { EncodedSpan, OtlpEncoder } from '../../lib/export/otlp/encoded-span.js';
import type { ReadableSpan } from '../../lib/options/sdk-types.js';

/** Encodes spans one by one, and then a request with them. */
export function encodeOtlp<Encoded extends EncodedSpan>(
  encoder: OtlpEncoder<Encoded>,
  spans: readonly ReadableSpan[],
): Buffer {
  return encoder.encodeRequest(spans.map((span) => encoder.encodeSpan(span)));
}

/**
 * Returns a request of OTLP in Protocol Buffers as a tree that shows two requests that mean the same as equal: fields in the order of their
 * numbers, without those that have their default value.
 */
export function decodeOtlp(request: Buffer): unknown {
  return withoutEmptyStatus(decode(request, 'request'));
}

/** Any message of Protocol Buffers as a tree: fields in the order of their numbers, nested messages by the paths that OTLP has. */
function decode(message: Buffer, type: string): unknown {
  const fields: [number, unknown][] = [];
  let position = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[position++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (position < message.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    const nested = NESTED[`${type}.${number}`];
    if ((tag & 7) === 0) fields.push([number, varint()]);
    else if ((tag & 7) === 1) fields.push([number, message.subarray(position, (position += 8)).toString('hex')]);
    else if ((tag & 7) === 5) fields.push([number, message.subarray(position, (position += 4)).toString('hex')]);
    else {
      const length = Number(varint());
      const bytes = message.subarray(position, (position += length));
      fields.push([number, nested ? decode(bytes, nested) : bytes.toString('hex')]);
    }
  }
  const isDefault = (value: unknown) => value === 0n || value === '';
  return fields
    .filter(([number, value]) => !(OPTIONAL.has(`${type}.${number}`) && isDefault(value)))
    .toSorted(([one], [other]) => one - other);
}

const NESTED: Record<string, string> = {
  'request.1': 'resourceSpans',
  'resourceSpans.1': 'resource',
  'resourceSpans.2': 'scopeSpans',
  'resource.1': 'keyValue',
  'scopeSpans.1': 'scope',
  'scopeSpans.2': 'span',
  'scope.3': 'keyValue',
  'span.9': 'keyValue',
  'span.11': 'event',
  'span.13': 'link',
  'span.15': 'status',
  'event.3': 'keyValue',
  'link.4': 'keyValue',
  'keyValue.2': 'value',
  'value.5': 'array',
  'value.6': 'list',
  'array.1': 'value',
  'list.1': 'keyValue',
};
/** Fields whose default value may be written or left out. */
const OPTIONAL = new Set(
  [
    'resource.2',
    'resourceSpans.3',
    'scope.2',
    'scope.4',
    'scopeSpans.3',
    'status.2',
    'status.3',
    'event.4',
    'link.3',
    'link.5',
  ].concat(['span.3', 'span.4', 'span.5', 'span.10', 'span.12', 'span.14', 'event.2']),
);

/** Removes an empty status, because it means the same as no status. */
const withoutEmptyStatus = (tree: unknown): unknown =>
  JSON.parse(
    JSON.stringify(tree, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)).replaceAll(
      ',[15,[]]',
      '',
    ),
  );
