import { OtlpReceiver } from './otlp-receiver.js';

/** A log record of OTLP in JSON, with its attributes as an object. */
export interface ReceivedLog {
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly severityNumber: number | undefined;
  readonly severityText: string | undefined;
  readonly body: unknown;
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface Value {
  readonly arrayValue?: { readonly values: readonly Value[] };
  readonly kvlistValue?: { readonly values: readonly KeyValue[] };
  readonly [type: string]: unknown;
}

interface KeyValue {
  readonly key: string;
  readonly value: Value;
}

type RecordJson = Omit<ReceivedLog, 'attributes' | 'body'> & {
  readonly attributes?: KeyValue[];
  readonly body?: Value;
};

interface LogsJson {
  readonly resourceLogs?: readonly { readonly scopeLogs: readonly { readonly logRecords: readonly RecordJson[] }[] }[];
}

/** Returns the log records that a receiver has got in JSON. */
export function logsOf({ requests }: OtlpReceiver): ReceivedLog[] {
  return requests
    .filter(({ path }) => path === '/v1/logs')
    .flatMap(({ body }) => (JSON.parse(body.toString()) as LogsJson).resourceLogs ?? [])
    .flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords))
    .map(({ attributes = [], body, severityNumber, severityText, spanId, traceId }) => ({
      traceId,
      spanId,
      severityNumber,
      severityText,
      attributes: toObject(attributes),
      body: body && plain(body),
    }));
}

function toObject(entries: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(entries.map(({ key, value }) => [key, plain(value)]));
}

function plain(value: Value): unknown {
  if (value.kvlistValue) return toObject(value.kvlistValue.values);
  if (value.arrayValue) return value.arrayValue.values.map(plain);
  return Object.values(value)[0];
}
