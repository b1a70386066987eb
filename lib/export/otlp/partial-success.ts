import { readFields } from './protobuf-fields.js';

/** The report of a receiver about spans that it has not accepted. */
export interface PartialSuccess {
  readonly rejectedSpans: number;
  /** Why, or a warning if no span was rejected. */
  readonly message: string;
}

export const NONE_REJECTED: PartialSuccess = { rejectedSpans: 0, message: '' };

/** Reads an `ExportTraceServiceResponse`, or the one for log records, which has the same fields. Nothing was rejected if it cannot be read. */
export function readPartialSuccess(contentType: string | undefined, body: Buffer): PartialSuccess {
  if (body.length === 0) return NONE_REJECTED;
  try {
    return contentType?.includes('json') ? readJson(body) : readProtobuf(body);
  } catch {
    return NONE_REJECTED;
  }
}

function readJson(body: Buffer): PartialSuccess {
  const { partialSuccess } = JSON.parse(body.toString()) as {
    partialSuccess?: { rejectedSpans?: unknown; rejectedLogRecords?: unknown; errorMessage?: unknown };
  };
  const { errorMessage, rejectedLogRecords, rejectedSpans } = partialSuccess ?? {};
  return {
    rejectedSpans: countOf(Number(rejectedSpans ?? rejectedLogRecords ?? 0)),
    message: typeof errorMessage === 'string' ? errorMessage : '',
  };
}

/** Field 1 holds the message `ExportTracePartialSuccess`: field 1 is the number of rejected spans, field 2 the message. */
function readProtobuf(body: Buffer): PartialSuccess {
  const partial = readFields(body).find(({ bytes, number }) => number === 1 && bytes);
  let { message, rejectedSpans } = NONE_REJECTED;
  for (const { bytes, number, value } of partial?.bytes ? readFields(partial.bytes) : []) {
    if (number === 1 && value !== undefined) rejectedSpans = countOf(value);
    if (number === 2 && bytes) message = bytes.toString();
  }
  return { rejectedSpans, message };
}

function countOf(value: number): number {
  return Number.isSafeInteger(value) && value > 0 ? value : 0;
}
