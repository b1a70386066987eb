import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SpanContext } from '@opentelemetry/api';
import { Apps } from '../support/apps.js';
import { Jaeger } from './support/jaeger.js';
import type { JaegerSpan, JaegerTag, JaegerTrace } from './support/jaeger-query.js';
import { ways, wayNames } from './support/ways.js';

interface Made {
  readonly root: SpanContext;
  readonly linked: SpanContext;
  /** The start time of the root span, in milliseconds. */
  readonly at: number;
}

const CHILDREN = ['CLIENT', 'CONSUMER', 'INTERNAL', 'PRODUCER', 'broken', 'fine', 'timed', 'unversioned'];

let apps: Apps;
beforeAll(() => void (apps = new Apps('test/interop/apps')));
afterAll(() => apps.remove());

describe.each(wayNames)('what a span can hold, by %s', (way) => {
  const thrift = way.startsWith('Thrift');
  /** Thrift's own exporter writes every number as a double. */
  const whole = thrift ? 'float64' : 'int64';
  let jaeger: Jaeger;
  let made: Made;
  let trace: JaegerTrace;

  beforeAll(async () => {
    jaeger = await Jaeger.start();
    const options = JSON.stringify({ exporter: ways[way].exporter(jaeger) });
    const { code, stdout, stderr } = await apps.run('everything', { args: [options] });
    expect([code, stderr]).toEqual([0, '']);
    made = JSON.parse(stdout) as Made;
    trace = await jaeger.query.traceOf(CHILDREN.length + 1, made.root.traceId);
  });
  afterAll(() => jaeger?.stop());

  function span(name: string): JaegerSpan {
    const found = trace.spans.filter(({ operationName }) => operationName === name);
    expect(found).toHaveLength(1);
    return found[0]!;
  }

  it('has the spans, and what is below what', () => {
    expect(trace.spans.map(({ operationName }) => operationName).toSorted()).toEqual([...CHILDREN, 'root'].toSorted());
    for (const name of CHILDREN) {
      const { traceId: traceID, spanId: spanID } = made.root;
      expect(span(name).references).toEqual([expect.objectContaining({ refType: 'CHILD_OF', traceID, spanID })]);
    }
  });

  it('has attributes with their values and types', () => {
    expect(typed(span('root').tags)).toEqual({
      text: ['string', 'grüße, "you"'],
      empty: ['string', ''],
      'whole number': [whole, 42],
      'large number': [whole, 2 ** 53 - 1],
      'negative number': [whole, -1],
      'broken number': ['float64', 0.5],
      yes: ['bool', true],
      no: ['bool', false],
      // Jaeger has no lists, whatever the protocol of the export.
      texts: ['string', '["a","b, c"]'],
      'whole numbers': ['string', '[1,2]'],
      'broken numbers': ['string', '[0.5,1.5]'],
      flags: ['string', '[true,false]'],
      'otel.scope.name': ['string', 'with-version'],
      'otel.scope.version': ['string', '1.2.3'],
      'span.kind': ['string', 'server'],
      ...(thrift && { 'service.name': ['string', 'everything'] }),
    });
  });

  it('has the kinds', () => {
    for (const kind of ['INTERNAL', 'CLIENT', 'PRODUCER', 'CONSUMER']) {
      expect(typed(span(kind).tags)['span.kind']).toEqual(['string', kind.toLowerCase()]);
    }
  });

  it('has the statuses', () => {
    const statusOf = (name: string) => {
      const tags = typed(span(name).tags);
      return ['otel.status_code', 'otel.status_description', 'error'].map((key) => tags[key]?.[1]);
    };
    expect(statusOf('root')).toEqual([undefined, undefined, undefined]);
    expect(statusOf('fine')).toEqual(['OK', undefined, undefined]);
    expect(statusOf('broken')).toEqual(['ERROR', 'out of order', true]);
  });

  it('has events with their time and attributes', () => {
    const [reserved] = span('root').logs;
    expect(reserved?.timestamp).toBe((made.at + 5) * 1000);
    expect(typed(reserved?.fields)).toEqual({
      event: ['string', 'reserved'],
      pieces: [whole, 3],
      sku: ['string', 'book'],
      gift: ['bool', true],
    });
    expect(typed(span('broken').logs[0]?.fields)).toEqual({
      event: ['string', 'exception'],
      'exception.type': ['string', 'TypeError'],
      'exception.message': ['string', 'it broke'],
      'exception.stacktrace': ['string', expect.stringContaining('TypeError: it broke\n    at ')],
    });
  });

  it('has links, without their attributes', () => {
    const { traceId: traceID, spanId: spanID } = made.linked;
    const { references } = span('root');
    expect(references).toEqual([expect.objectContaining({ refType: 'FOLLOWS_FROM', traceID, spanID })]);
    expect(JSON.stringify(references)).not.toContain('because');
  });

  it('has times to the microsecond', () => {
    expect(span('timed')).toMatchObject({ startTime: 1_700_000_000_123_456, duration: 1_000_001 });
  });

  it('has the scope, also without a version', () => {
    const tags = typed(span('unversioned').tags);
    expect(tags['otel.scope.name']).toEqual(['string', 'without-version']);
    expect(Object.keys(tags).filter((key) => /version|library/.test(key))).toEqual([]);
  });

  it('has the resource in the process, once', () => {
    const processes = Object.values(trace.processes);
    expect(processes.map(({ serviceName }) => serviceName)).toEqual(['everything']);
    expect(typed(processes[0]?.tags)).toEqual({
      'service.version': ['string', '4.5.6'],
      'deployment.environment.name': ['string', 'test'],
      'shard.number': [whole, 7],
      'shard.names': ['string', '["a","b"]'],
      'host.name': ['string', expect.any(String)],
      'process.pid': [whole, expect.any(Number)],
      'process.runtime.name': ['string', 'nodejs'],
      'process.runtime.version': ['string', process.versions.node],
      'telemetry.sdk.language': ['string', 'nodejs'],
      'telemetry.sdk.name': ['string', 'opentelemetry'],
      'telemetry.sdk.version': ['string', expect.any(String)],
    });
  });
});

/** The type and value of each tag, by its key. */
function typed(tags: readonly JaegerTag[] = []): Record<string, [type: string, value: unknown]> {
  return Object.fromEntries(tags.map(({ key, type, value }) => [key, [type, value]]));
}
