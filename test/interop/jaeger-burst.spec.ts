import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { TracingOptions } from 'nestjs-tracing';
import { Apps } from '../support/apps.js';
import { Jaeger } from './support/jaeger.js';
import { measured } from './support/report.js';
import { ways, wayNames, type WayName } from './support/ways.js';

const SPANS_OF_TRACE = 100;
const UDP = 'Thrift over UDP';

interface Burst {
  /** The number of traces, each with 100 spans. */
  readonly traces: number;
  readonly tracing?: TracingOptions;
  /** The number of characters of an attribute of every span. */
  readonly text?: number;
  /** The number of characters of an attribute of one span. */
  readonly oversized?: number;
}

interface Outcome {
  readonly traceIds: string[];
  /** The time in milliseconds that ending all spans took. */
  readonly making: number;
  /** The time in milliseconds that `app.close()` took. */
  readonly closing: number;
  /** The output of the application. */
  readonly log: string;
  readonly arrived: number;
}

const cut: TracingOptions = { shutdown: { timeout: 100 } };

let apps: Apps;
let jaeger: Jaeger;
beforeAll(() => void (apps = new Apps('test/interop/apps')));
afterAll(() => apps.remove());
beforeEach(async () => void (jaeger = await Jaeger.start()));
afterEach(() => jaeger.stop());

/** Ends this number of spans at once, closes the application, and counts the spans that have arrived. */
async function burst(way: WayName, { traces, tracing, ...rest }: Burst): Promise<Outcome> {
  const options: TracingOptions = {
    serviceName: 'burst',
    exporter: ways[way].exporter(jaeger),
    // The queue needs room for all spans, because they end before the first export can start.
    batch: { maxQueueSize: traces * SPANS_OF_TRACE },
    // The time limit is long, because it is not measured here and a busy machine may need the time.
    shutdown: { timeout: 30_000 },
    ...tracing,
  };
  const job = JSON.stringify({ tracing: options, traces, spansOfTrace: SPANS_OF_TRACE, ...rest });
  const { code, stdout, stderr } = await apps.run('burst', { args: [job] });
  expect(code).toBe(0);
  const lines = stdout.split('\n');
  const isReport = (line: string) => line.startsWith('{');
  const report = JSON.parse(lines.find(isReport)!) as Outcome;
  // Datagrams that are in transit when the application has closed arrive at once, or never.
  const patience = way === UDP ? 2000 : 0;
  const arrived = await jaeger.query.spanCount(report.traceIds, traces * SPANS_OF_TRACE, patience);
  return { ...report, arrived, log: [...lines.filter((line) => !isReport(line)), stderr].join('\n').trim() };
}

describe('10000 spans in a burst, then an orderly shutdown', () => {
  it.each(wayNames)('%s', async (way) => {
    const { arrived, making, closing, log } = await burst(way, { traces: 100 });
    measured(`${way}: ${arrived} of 10000 spans arrived; ended in ${making} ms, closed in ${closing} ms`);
    expect(log).toBe('');
    if (way === UDP) expect(arrived).toBeGreaterThanOrEqual(9900);
    else expect(arrived).toBe(10_000);
  });

  it(`${UDP}, to a receiver whose buffer is that of the system`, async () => {
    await jaeger.stop();
    jaeger = await Jaeger.start({ udpBuffer: 0 });
    const { arrived } = await burst(UDP, { traces: 100 });
    measured(`${UDP}, small buffer: ${arrived} of 10000 spans arrived`);
    expect(arrived).toBeGreaterThanOrEqual(9000);
  });

  it.each(['OTLP http/protobuf', 'OTLP grpc'] as const)('%s, in many small batches', async (way) => {
    const tracing: TracingOptions = { batch: { maxQueueSize: 10_000, maxExportBatchSize: 100 } };
    const { arrived, log } = await burst(way, { traces: 100, tracing });
    expect([arrived, log]).toEqual([10_000, '']);
  });

  it.each(wayNames)('%s, cut short by shutdown.timeout', async (way) => {
    const before = performance.now();
    const { arrived, closing, log } = await burst(way, { traces: 100, tracing: { ...cut } });
    const whole = performance.now() - before;
    measured(`${way}: ${arrived} of 10000 spans arrived in ${closing} ms; ${Math.round(whole)} ms with start and end`);
    expect(closing).toBeLessThan(2000);
    // Nothing keeps the process alive when the application has closed.
    expect(whole).toBeLessThan(20_000);
    const [, lost = 0] = /(\d+) spans to .* are lost: /.exec(log) ?? [];
    // An export that was aborted may or may not have arrived.
    expect(Math.abs(10_000 - arrived - Number(lost))).toBeLessThanOrEqual(4 * 512);
  });

  it('keeps what the queue has room for, and says of how many it has none', async () => {
    const { arrived, log } = await burst('OTLP http/protobuf', { traces: 100, tracing: { batch: {} } });
    measured(`with the default queue: ${arrived} of 10000 spans arrived`);
    expect(arrived).toBeGreaterThanOrEqual(2048);
    expect(log.split('\n')).toEqual([
      expect.stringContaining('A span is dropped: 2048 already wait'),
      expect.stringContaining(`${10_000 - arrived} spans to`),
    ]);
  });
});

describe('large spans', () => {
  const limits = { attributeValueLength: 1_000_000 };

  it.each(wayNames)('%s: 500 of 16 KB, more than goes into one message', async (way) => {
    const { arrived, log } = await burst(way, { traces: 5, tracing: { limits }, text: 16_000 });
    expect(log).toBe('');
    if (way === UDP) expect(arrived).toBeGreaterThanOrEqual(490);
    else expect(arrived).toBe(500);
  });

  it.each(['OTLP grpc', UDP] as const)(
    '%s: one of 100 KB is cut to what limits.attributeValueLength allows',
    async (way) => {
      const { arrived, log, traceIds } = await burst(way, { traces: 10, oversized: 100_000 });
      expect([arrived, log]).toEqual([1000, '']);
      const trace = await jaeger.query.trace(traceIds[5]!);
      const found = trace?.spans.flatMap(({ tags }) => tags.filter(({ key }) => key === 'oversized'));
      expect(found?.map(({ value }) => String(value).length)).toEqual([8192]);
    },
  );

  it.each(wayNames)('%s: one of 100 KB takes no other with it', async (way) => {
    const { arrived, log } = await burst(way, { traces: 10, tracing: { limits }, oversized: 100_000 });
    if (way !== UDP) return expect([arrived, log]).toEqual([1000, '']);
    expect(arrived).toBe(999);
    expect(log).toMatch(/1 span is lost: the export .* fits into no UDP packet/);
  });
});
