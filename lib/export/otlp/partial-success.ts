/** The report of a receiver about spans that it has not accepted. */
export interface PartialSuccess {
  readonly rejectedSpans: number;
  /** Why, or a warning if no span was rejected. */
  readonly message: string;
}

const NONE: PartialSuccess = { rejectedSpans: 0, message: '' };

/** Reads an `ExportTraceServiceResponse`. Nothing was rejected if it cannot be read. */
export function readPartialSuccess(contentType: string | undefined, body: Buffer): PartialSuccess {
  if (body.length === 0) return NONE;
  try {
    return contentType?.includes('json') ? readJson(body) : readProtobuf(body);
  } catch {
    return NONE;
  }
}

function readJson(body: Buffer): PartialSuccess {
  const { partialSuccess } = JSON.parse(body.toString()) as {
    partialSuccess?: { rejectedSpans?: unknown; errorMessage?: unknown };
  };
  const { errorMessage, rejectedSpans } = partialSuccess ?? {};
  return {
    rejectedSpans: countOf(Number(rejectedSpans ?? 0)),
    message: typeof errorMessage === 'string' ? errorMessage : '',
  };
}

/** Field 1 holds the message `ExportTracePartialSuccess`: field 1 is the number of rejected spans, field 2 the message. */
function readProtobuf(body: Buffer): PartialSuccess {
  const partial = fieldsOf(body).find(({ bytes, number }) => number === 1 && bytes);
  let { message, rejectedSpans } = NONE;
  for (const { bytes, number, value } of partial?.bytes ? fieldsOf(partial.bytes) : []) {
    if (number === 1 && value !== undefined) rejectedSpans = countOf(value);
    if (number === 2 && bytes) message = bytes.toString();
  }
  return { rejectedSpans, message };
}

interface Field {
  readonly number: number;
  readonly value?: number;
  readonly bytes?: Buffer;
}

function fieldsOf(message: Buffer): Field[] {
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

function countOf(value: number): number {
  return Number.isSafeInteger(value) && value > 0 ? value : 0;
}
