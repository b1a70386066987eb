/** A field of a message: a number, or bytes, which may be a text or a nested message. Fixed numbers are left out. */
export interface Field {
  readonly number: number;
  readonly value?: number;
  readonly bytes?: Buffer;
}

/**
 * Reads the fields of a message in Protocol Buffers.
 *
 * @throws RangeError if the message ends too early
 * @throws TypeError if it is no message
 */
export function readFields(message: Buffer): Field[] {
  const fields: Field[] = [];
  let position = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[position++];
      if (byte === undefined) throw new RangeError('a message that ends too early');
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (position < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const type = tag % 8;
    if (type === 0) fields.push({ number, value: varint() });
    else if (type === 2) {
      const length = varint();
      if (position + length > message.length) throw new RangeError('a message that ends too early');
      fields.push({ number, bytes: message.subarray(position, (position += length)) });
    } else if (type === 1 || type === 5) position += type === 1 ? 8 : 4;
    else throw new TypeError(`wire type ${type}`);
  }
  return fields;
}
