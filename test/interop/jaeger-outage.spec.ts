import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePorts } from '../../sample/02-shop/run/free-ports.js';
import { Apps } from '../support/apps.js';
import { Jaeger } from './support/jaeger.js';
import { until } from './support/jaeger-query.js';
import { Load, percentile, type Answered } from './support/load.js';
import { measured } from './support/report.js';
import { ways } from './support/ways.js';

/** The number of spans of a request: one of the server, one of the handler, and two of methods. */
const SPANS_OF_REQUEST = 4;
/** The limits of the queue. They are small, so that an outage of some seconds fills it. */
const batch = { maxQueueSize: 400, maxExportBatchSize: 50, scheduledDelay: 100 };
/** The number of exports that may be pending at the same time. */
const AT_ONCE = 4;

/** The phases: Jaeger is up; it is down; it is up, but no spans have reached it yet; spans reach it again. */
type Phase = 'before' | 'without' | 'again' | 'after';

let apps: Apps;
beforeAll(() => void (apps = new Apps('test/interop/apps')));
afterAll(() => apps.remove());

describe.each(['OTLP http/protobuf', 'OTLP grpc', 'Thrift over HTTP'] as const)('%s', (way) => {
  const phases: Record<Phase, Answered[]> = { before: [], without: [], again: [], after: [] };
  let log: string[];
  let jaeger: Jaeger;

  beforeAll(async () => {
    jaeger = await Jaeger.start();
    const [port] = await freePorts(1);
    const tracing = { serviceName: 'loaded', exporter: ways[way].exporter(jaeger), batch };
    const app = apps.start('service', { args: [JSON.stringify(tracing)], env: { PORT: String(port) } });
    await app.said('listening');
    const load = new Load(`http://127.0.0.1:${port}/orders`);
    const { query } = jaeger;

    await load.answered(200);
    expect((await query.traceOf(SPANS_OF_REQUEST, load.answers[100]!.traceId)).spans).toHaveLength(SPANS_OF_REQUEST);
    const killedAt = performance.now();
    await jaeger.kill();
    await load.answered(400);
    await jaeger.restart();
    const restartedAt = performance.now();
    // As soon as Jaeger knows a request that was sent after its return, no more spans are lost.
    await load.answered(10);
    await until(() => query.trace(load.answers.at(-10)!.traceId), Boolean, 15_000);
    const backAt = performance.now();
    await load.answered(200);
    await load.stop();
    app.signal('SIGTERM');
    const { stdout, stderr } = await app.ended;

    log = `${stdout}\n${stderr}`.split('\n').filter((line) => line !== '' && line !== 'listening');
    // The first requests are slower, because the application is still warming up.
    for (const answer of load.answers.slice(50)) {
      if (answer.at < killedAt) phases.before.push(answer);
      else if (answer.at < restartedAt) phases.without.push(answer);
      else if (answer.at < backAt) phases.again.push(answer);
      else phases.after.push(answer);
    }
  }, 60_000);
  afterAll(() => jaeger?.stop());

  it('lets the application answer as before', () => {
    const all = Object.values(phases).flat();
    expect(all.filter(({ status }) => status !== 200)).toEqual([]);
    const [before, without] = [percentile(phases.before, 0.95), percentile(phases.without, 0.95)];
    const [median, medianWithout] = [percentile(phases.before, 0.5), percentile(phases.without, 0.5)];
    const times = `median ${median.toFixed(1)} → ${medianWithout.toFixed(1)} ms, p95 ${before.toFixed(1)} → ${without.toFixed(1)} ms`;
    measured(`${way}: requests with and without Jaeger, ${times}`);
    expect(medianWithout).toBeLessThan(3 * median + 20);
    expect(without).toBeLessThan(3 * before + 50);
  });

  it('keeps no more spans of the outage than it has room for', async () => {
    const arrived = await jaeger.query.spanCount(idsOf(phases.without), Number.POSITIVE_INFINITY, 0);
    const ended = phases.without.length * SPANS_OF_REQUEST;
    measured(`${way}: ${ended} spans ended without Jaeger, ${arrived} of them arrived later`);
    expect(ended).toBeGreaterThan(1.5 * batch.maxQueueSize);
    // The first and the last request of a phase may also belong to the neighbouring phase.
    const room = batch.maxQueueSize + AT_ONCE * batch.maxExportBatchSize + 10 * SPANS_OF_REQUEST;
    expect(arrived).toBeLessThanOrEqual(room);
  });

  it('exports everything that ends later', async () => {
    expect(phases.after.length).toBeGreaterThan(150);
    const wanted = phases.after.length * SPANS_OF_REQUEST;
    expect(await jaeger.query.spanCount(idsOf(phases.after), wanted)).toBe(wanted);
  });

  it('says once that spans are lost, once that they arrive again, and in the end how many were lost', async () => {
    const kinds = [
      /lost: the export to .* failed/,
      /A span is dropped/,
      /Spans reach .* again/,
      /spans to .* are lost: /,
    ];
    const [failed = 0, dropped = 0, again = 0, sum = 0] = kinds.map((kind) => log.filter((it) => kind.test(it)).length);
    expect(Math.max(failed, dropped, again, sum)).toBe(1);
    // The queue is full while exports wait for their next attempt. A transport without further attempts fails instead.
    expect([failed + dropped > 0, again, sum, log.length]).toEqual([true, failed, 1, failed + dropped + again + sum]);

    const lost = Number(/(\d+) spans to .* are lost/.exec(log.join())?.[1]);
    const since = [...phases.without, ...phases.again, ...phases.after];
    const ended = since.length * SPANS_OF_REQUEST;
    const missing = ended - (await jaeger.query.spanCount(idsOf(since), ended, 0));
    // `lost` also counts spans that were pending or queued when Jaeger stopped. `missing` does not: Jaeger lost their traces.
    const onTheirWay = batch.maxQueueSize + AT_ONCE * batch.maxExportBatchSize;
    measured(`${way}: of ${ended} spans since Jaeger went ${missing} are missing, ${lost} are counted as lost`);
    expect(lost).toBeGreaterThanOrEqual(missing - 10 * SPANS_OF_REQUEST);
    expect(lost).toBeLessThanOrEqual(missing + onTheirWay);
  });
});

function idsOf(answers: readonly Answered[]): string[] {
  return answers.map(({ traceId }) => traceId);
}
