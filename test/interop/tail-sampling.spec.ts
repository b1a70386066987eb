import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Shop } from '../../sample/02-shop/run/shop.js';
import type { Span } from '../../sample/02-shop/run/span.js';
import { send, visits, type Visit } from '../../sample/02-shop/run/visits.js';
import { Apps, type RunningApp } from '../support/apps.js';
import { CompiledFolder } from '../support/compiled-folder.js';
import { Collector } from './support/collector.js';
import { Jaeger } from './support/jaeger.js';
import { until } from './support/jaeger-query.js';
import { WireTap } from './support/wire-tap.js';

const SLOW = 300;
const SHARE = 0.25;
const TRACES = 1500;
/** The share of ordinary traces: every twentieth fails, every twenty-fifth is slow, and every hundredth is both. */
const REST = 1 - 1 / 20 - 1 / 25 + 1 / 100;
const LATE = 40;
const RATIO = 0.5;

const [good, , declined] = visits as [Visit, Visit, Visit];
const piano = { sku: 'piano', quantity: 1 };
/** A slow order: picking two pianos takes almost half a second. */
const slow = { ...good, order: { ...good.order, items: [piano, piano] } };

let apps: Apps;
let jaeger: Jaeger;
let collector: Collector;
let tap: WireTap;

beforeAll(async () => {
  apps = new Apps('test/interop/apps');
  jaeger = await Jaeger.start();
});
afterAll(async () => {
  apps.remove();
  await jaeger?.stop();
});

beforeEach(async () => {
  collector = await Collector.start(['collector', 'tail-sampling'], {
    JAEGER_ENDPOINT: `127.0.0.1:${jaeger.ports.otlpGrpc}`,
    DECISION_WAIT: '3s',
    SLOW_MS: String(SLOW),
    SHARE_PERCENT: String(SHARE * 100),
  });
  tap = await WireTap.start(collector.url);
});
afterEach(async () => {
  await tap?.stop();
  await collector?.stop();
});

it('a failed and a slow order of the shop are kept with the spans of all services', async () => {
  const { failed, slowed } = await visitShop();
  const sent = [...tap.traces.values()];
  expect(sent.filter(hasFailed).map(idOf).toSorted()).toEqual(failed.toSorted());
  expect(sent.filter(isSlow).map(idOf)).toEqual(expect.arrayContaining(slowed));
  const kept = await keptTraces();
  expect(kept).toEqual(expect.arrayContaining(sent.filter((trace) => hasFailed(trace) || isSlow(trace)).map(idOf)));
});

it('all errors and all slow traces are kept, and a share of the rest, each of them whole', async () => {
  const app = makeTraces({ traces: TRACES });
  await app.said('first halves sent');
  app.signal('SIGUSR2');
  await expect(app.ended).resolves.toMatchObject({ code: 0, stderr: '' });
  const sent = [...tap.traces.values()];
  expect(sent).toHaveLength(TRACES);
  const wanted = new Set(sent.filter((trace) => hasFailed(trace) || isSlow(trace)).map(idOf));
  expect(wanted.size).toBe(Math.round(TRACES * (1 - REST)));

  const kept = await keptTraces();
  expect(kept).toEqual(expect.arrayContaining([...wanted]));
  expectShare(kept.length - wanted.size, TRACES - wanted.size);
});

it('with a ratio in the service as well, the shares multiply', async () => {
  const app = makeTraces({ traces: TRACES, ratio: RATIO });
  await app.said('first halves sent');
  app.signal('SIGUSR2');
  await expect(app.ended).resolves.toMatchObject({ code: 0, stderr: '' });
  const sent = [...tap.traces.values()];
  expectShare(sent.length, TRACES, RATIO);
  const wanted = new Set(sent.filter((trace) => hasFailed(trace) || isSlow(trace)).map(idOf));
  const kept = await keptTraces();
  expect(kept).toEqual(expect.arrayContaining([...wanted]));
  expectShare(kept.length - wanted.size, TRACES * REST, RATIO * SHARE);
});

it('an error that comes after the decision is too late, and the trace whole or absent all the same', async () => {
  const app = makeTraces({ late: LATE });
  await app.said('first halves sent');
  await collector.decided(LATE);
  app.signal('SIGUSR2');
  await expect(app.ended).resolves.toMatchObject({ code: 0, stderr: '' });
  const sent = [...tap.traces.values()];
  expect(sent.filter(hasFailed)).toHaveLength(LATE);
  expectShare((await keptTraces()).length, LATE);
});

/** Sends orders to the shop. Returns the trace ids of the failed orders and of the slow orders. */
async function visitShop(): Promise<{ failed: string[]; slowed: string[] }> {
  const sample = new CompiledFolder('sample/02-shop');
  const shop = await Shop.start({ folder: sample.path, traces: tap.url });
  const failed: string[] = [];
  const slowed: string[] = [];
  try {
    const url = await Promise.race([shop.ready, shop.broken]);
    for (let round = 0; round < 5; round++) {
      await Promise.all([1, 2, 3, 4].map(() => send(url, good)));
      failed.push((await send(url, declined)).traceId);
      slowed.push((await send(url, slow)).traceId);
    }
  } finally {
    // Closing exports the remaining spans.
    await shop.stop();
    sample.remove();
  }
  return { failed, slowed };
}

function makeTraces({ traces = 0, late = 0, ratio = 1 }): RunningApp {
  const exporter = { type: 'otlp', protocol: 'http/json', endpoint: tap.url };
  const tracing = { exporter, sampler: { ratio } };
  return apps.start('mixed-traces', { args: [JSON.stringify({ tracing, traces, late })] });
}

/** The ids of the traces in Jaeger after all have been decided. Fails if one of the traces is incomplete. */
async function keptTraces(): Promise<string[]> {
  const { kept } = await collector.decided(tap.traces.size);
  const arrived = async () => {
    const found = await Promise.all([...tap.traces.keys()].map((traceId) => jaeger.query.trace(traceId)));
    return found.filter((trace) => trace !== undefined);
  };
  const traces = await until(
    arrived,
    (found) => found.length === kept && found.every(({ traceID, spans }) => spans.length === sentSpans(traceID).length),
  );
  expect(traces).toHaveLength(kept);
  for (const { traceID, spans } of traces) {
    expect(spans.map(({ spanID }) => spanID).toSorted()).toEqual(sentSpans(traceID).toSorted());
  }
  return traces.map(({ traceID }) => traceID);
}

function sentSpans(traceId: string): string[] {
  return tap.traces.get(traceId)!.map(({ spanId }) => spanId);
}

/** Expects a number within four and a half standard deviations, which fails by chance once in 150,000 runs. */
function expectShare(kept: number, of: number, share = SHARE): void {
  const bound = 4.5 * Math.sqrt(of * share * (1 - share));
  expect(Math.abs(kept - of * share)).toBeLessThan(bound);
}

function idOf([span]: readonly Span[]): string {
  return span!.traceId;
}

function hasFailed(trace: readonly Span[]): boolean {
  return trace.some(({ failed }) => failed);
}

function isSlow(trace: readonly Span[]): boolean {
  return Math.max(...trace.map(({ end }) => end)) - Math.min(...trace.map(({ start }) => start)) >= SLOW;
}
