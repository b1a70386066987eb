import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { processTags, toThriftSpan, type ProcessTag } from '../../../../lib/export/exporters/thrift-span.js';
import { JaegerEncoder } from '../../../../lib/export/jaeger/jaeger-encoder.js';
import type { ReadableSpan, SpanExporter } from '../../../../lib/options/sdk-types.js';
import { fakeSpan } from '../../sdk/fake-span.js';

interface JaegerPackage {
  JaegerExporter: new (config: { endpoint: string; tags: readonly ProcessTag[]; flushTimeout: number }) => SpanExporter;
}

interface Tag {
  readonly key: string;
  readonly vType: string;
  readonly [value: string]: unknown;
}

/** A struct of Thrift as the reader of the package returns it. */
interface Batch {
  process: { serviceName: string; tags: Tag[] };
  spans: ({ tags: Tag[]; logs: { fields: Tag[] }[] } & Record<string, unknown>)[];
}

interface ThriftPackage {
  Thrift: new (options: object) => {
    Batch: { rw: { readFrom(bytes: Buffer, at: number): { err?: Error; value: Batch; offset: number } } };
  };
}

interface Definition {
  loadJaegerThriftDefinition(): string;
}

const requireHere = createRequire(import.meta.url);
const requireInPackage = createRequire(requireHere.resolve('@opentelemetry/exporter-jaeger'));
const requireInClient = createRequire(requireInPackage.resolve('jaeger-client'));

const resource = {
  attributes: { 'service.name': 'orders', 'host.name': 'pod-1', 'process.pid': 12, regions: ['a', 'b'] },
};

const full = fakeSpan('place order', {
  kind: SpanKind.SERVER,
  resource: resource as unknown as ReadableSpan['resource'],
  instrumentationScope: { name: 'orm', version: '1.2' },
  attributes: {
    text: 'grüße 🎉',
    empty: '',
    whole: 42,
    negative: -1,
    zero: -0,
    fraction: 0.5,
    infinite: Infinity,
    yes: true,
    no: false,
    texts: ['a', 'b, c'],
    long: 'x'.repeat(10_000),
  },
  status: { code: SpanStatusCode.ERROR, message: 'out of order' },
  events: [{ name: 'retried', at: 1_700_000_000_123 }],
});
Object.assign(full.events[0]!, { attributes: { attempt: 2, sure: false, why: 'busy' }, droppedAttributesCount: 3 });
Object.assign(full, {
  startTime: [1_700_000_000, 123_456_789],
  duration: [3, 999_999_999],
  droppedAttributesCount: 1,
  droppedEventsCount: 2,
  droppedLinksCount: 3,
  links: [{ context: { traceId: 'ab'.repeat(16), spanId: 'f'.repeat(16), traceFlags: TraceFlags.SAMPLED } }],
  parentSpanContext: { traceId: 'ab'.repeat(16), spanId: '8000000000000001', traceFlags: TraceFlags.SAMPLED },
});
const kinds = [SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER];
const spans = [
  full,
  ...kinds.map((kind) => fakeSpan(`kind ${kind}`, { kind, resource: full.resource })),
  fakeSpan('fine', { status: { code: SpanStatusCode.OK }, resource: full.resource }),
];

/** Reads a batch by the definition of Jaeger. A tag is its key, its type and its value: writers may leave out the other fields. */
function read(bytes: Buffer): Batch {
  const { Thrift } = requireInClient('thriftrw') as ThriftPackage;
  const source = requireInPackage('jaeger-client/dist/src/thrift.js') as { default: Definition };
  const thrift = new Thrift({ source: source.default.loadJaegerThriftDefinition(), allowOptionalArguments: true });
  const { err, offset, value } = thrift.Batch.rw.readFrom(bytes, 0);
  expect([err ?? undefined, offset]).toEqual([undefined, bytes.length]);
  const fields: Record<string, string> = { STRING: 'vStr', DOUBLE: 'vDouble', BOOL: 'vBool' };
  const plain = (tags: Tag[]) => tags.map((tag) => [tag.key, tag.vType, tag[fields[tag.vType]!]] as unknown as Tag);
  value.process.tags = plain(value.process.tags);
  for (const span of value.spans) {
    span.tags = plain(span.tags);
    for (const log of span.logs) log.fields = plain(log.fields);
  }
  return value;
}

describe('a batch for a collector', () => {
  let theirs: Batch;
  beforeAll(async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const body = new Promise<Buffer>((resolve) => {
      server.once('request', (request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          response.end();
          resolve(Buffer.concat(chunks));
        });
      });
    });
    const { JaegerExporter } = requireHere('@opentelemetry/exporter-jaeger') as JaegerPackage;
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/traces`;
    const exporter = new JaegerExporter({ endpoint, tags: processTags(full), flushTimeout: 100 });
    exporter.export(spans.map(toThriftSpan), () => {});
    theirs = read(await body);
    await exporter.shutdown();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('has the content that the package of OpenTelemetry gives it', () => {
    const encoder = new JaegerEncoder();
    const ours = read(encoder.encodeRequest(spans.map((span) => encoder.encodeSpan(span))));
    expect(ours.spans).toHaveLength(spans.length);
    expect(ours).toEqual(theirs);
  });

  it('says how large each span is', () => {
    const encoder = new JaegerEncoder();
    const encoded = spans.map((span) => encoder.encodeSpan(span));
    const size = encoded.reduce((sum, { estimatedSize }) => sum + estimatedSize, 0);
    expect(encoder.encodeRequest(encoded).length - size).toBeLessThan(256);
  });

  it('is not spoiled by a span that cannot be encoded', () => {
    const encoder = new JaegerEncoder();
    const broken = { ...fakeSpan('broken'), startTime: [NaN, 0] } as unknown as ReadableSpan;
    expect(() => encoder.encodeSpan(broken)).toThrow(RangeError);
    const { spans: next } = read(encoder.encodeRequest([encoder.encodeSpan(full)]));
    expect(next).toEqual(theirs.spans.slice(0, 1));
  });
});
