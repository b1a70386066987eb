import { SpanKind } from '@opentelemetry/api';
import { describe, expect, it, jest } from '@jest/globals';
import { ThriftExporter } from '../../../../lib/export/exporters/thrift-exporter.js';
import { processTags, toThriftSpan } from '../../../../lib/export/exporters/thrift-span.js';
import type { ReadableSpan, SpanExporter } from '../../../../lib/options/sdk-types.js';
import { fakeSpan } from '../../sdk/fake-span.js';

const attributes = { 'service.name': 'shop', 'host.name': 'pod-1', 'shard.names': ['a', 'b'], missing: undefined };
const resource = { attributes } as unknown as ReadableSpan['resource'];

describe('toThriftSpan', () => {
  it.each<[what: string, given: Parameters<typeof fakeSpan>[1], attributes: object]>([
    ['a text', { attributes: { text: 'a,b' } }, { text: 'a,b' }],
    ['numbers and flags', { attributes: { count: 1, yes: true } }, { count: 1, yes: true }],
    ['a list', { attributes: { texts: ['a', 'b, c'], counts: [1, 2] } }, { texts: '["a","b, c"]', counts: '[1,2]' }],
    ['a scope', { instrumentationScope: { name: 'orm', version: '1' } }, { 'otel.scope.version': '1' }],
    ['a scope without a version', { instrumentationScope: { name: 'orm' } }, { 'otel.scope.name': 'orm' }],
    ['the kind INTERNAL', { kind: SpanKind.INTERNAL }, { 'span.kind': 'internal' }],
  ])('has %s as attributes', (_what, given, expected) => {
    expect(toThriftSpan(fakeSpan('a', given)).attributes).toMatchObject(expected);
  });

  it('leaves the other parts to the exporter', () => {
    const span = fakeSpan('a', { kind: SpanKind.CLIENT, parent: 'b', attributes: { texts: ['a'] } });
    const { name, kind, parentSpanContext, duration, startTime } = span;
    const given = toThriftSpan(span);
    expect(given).toMatchObject({ name, kind, parentSpanContext, duration, startTime });
    expect(given.spanContext()).toEqual(span.spanContext());
    expect(Object.keys(given.attributes)).toEqual(['texts', 'otel.scope.name']);
    expect(span.attributes).toEqual({ texts: ['a'] });
  });

  it('has the members of the class of the span', () => {
    class Span {
      get duration() {
        return [1, 2];
      }
      get droppedEventsCount() {
        return 3;
      }
    }
    const { duration: _, droppedEventsCount: __, ...rest } = fakeSpan('a');
    const span = Object.assign(new Span(), rest) as unknown as ReadableSpan;
    expect(toThriftSpan(span)).toMatchObject({ duration: [1, 2], droppedEventsCount: 3 });
  });

  it('writes lists of events as JSON too', () => {
    const span = fakeSpan('a', { events: [{ name: 'e', at: 1 }] });
    Object.assign(span.events[0]!, { attributes: { texts: ['a', 'b'] } });
    expect(toThriftSpan(span).events).toEqual([
      expect.objectContaining({ name: 'e', attributes: { texts: '["a","b"]' } }),
    ]);
  });

  it('has only the name of the service as resource, which is written for the process', () => {
    const span = fakeSpan('a', { resource });
    expect(toThriftSpan(span).resource.attributes).toEqual({ 'service.name': 'shop' });
    expect(processTags(span)).toEqual([
      { key: 'host.name', value: 'pod-1' },
      { key: 'shard.names', value: '["a","b"]' },
    ]);
  });
});

describe('ThriftExporter', () => {
  it('creates one exporter, with the first span', async () => {
    const inner = {
      export: jest.fn<SpanExporter['export']>((_spans, done) => done({ code: 0 })),
      forceFlush: jest.fn(() => Promise.resolve()),
      shutdown: jest.fn(() => Promise.resolve()),
    };
    const create = jest.fn(() => inner);
    const exporter = new ThriftExporter(create);
    const done = jest.fn();
    await exporter.forceFlush();
    exporter.export([], done);
    expect(create).not.toHaveBeenCalled();
    exporter.export([fakeSpan('a', { resource }), fakeSpan('b', { resource })], done);
    exporter.export([fakeSpan('c', { resource })], done);
    expect(create.mock.calls).toEqual([[processTags(fakeSpan('a', { resource }))]]);
    expect(inner.export.mock.calls.map(([spans]) => spans.map(({ name }) => name))).toEqual([['a', 'b'], ['c']]);
    expect(done).toHaveBeenCalledTimes(3);
    await exporter.forceFlush();
    await exporter.shutdown();
    expect(inner.forceFlush).toHaveBeenCalledTimes(1);
    expect(inner.shutdown).toHaveBeenCalledTimes(1);
  });

  it('shuts down without a span', async () => {
    const create = jest.fn<() => SpanExporter>();
    await new ThriftExporter(create).shutdown();
    expect(create).not.toHaveBeenCalled();
  });
});
