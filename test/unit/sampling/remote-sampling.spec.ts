import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { context, ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setDiagnosticsSink } from '../../../lib/core/diagnostics.js';
import type { RemoteSamplerName } from '../../../lib/options/sampler.js';
import { createSampling, type StartedSampling } from '../../../lib/sampling/create-sampling.js';
import { RateLimitingSampler } from '../../../lib/sampling/remote/rate-limiting-sampler.js';
import { readStrategy, type Strategy } from '../../../lib/sampling/remote/strategy.js';

const LOW = '00000000000000000000000000000001';
const HIGH = 'ffffffff000000000000000000000001';
const MIDDLE = '00000000000000000000000070000000';

describe('readStrategy', () => {
  it.each<[what: string, answer: object, expected: Strategy]>([
    ['a ratio', { strategyType: 0, probabilisticSampling: { samplingRate: 0.5 } }, { kind: 'ratio', ratio: 0.5 }],
    [
      'a ratio of an older collector',
      { strategyType: 'PROBABILISTIC', probabilisticSampling: { samplingRate: 1 } },
      { kind: 'ratio', ratio: 1 },
    ],
    ['a ratio of zero', { probabilisticSampling: {} }, { kind: 'ratio', ratio: 0 }],
    ['a rate', { strategyType: 1, rateLimitingSampling: { maxTracesPerSecond: 3 } }, { kind: 'rate', perSecond: 3 }],
    ['a rate of zero', { strategyType: 1, rateLimitingSampling: {} }, { kind: 'rate', perSecond: 0 }],
    [
      'operations',
      {
        probabilisticSampling: { samplingRate: 0.1 },
        operationSampling: {
          defaultSamplingProbability: 0.5,
          perOperationStrategies: [
            { operation: 'a', probabilisticSampling: { samplingRate: 1 } },
            { operation: 'b', probabilisticSampling: {} },
          ],
        },
      },
      {
        kind: 'operations',
        ratio: 0.5,
        ratioOf: new Map([
          ['a', 1],
          ['b', 0],
        ]),
      },
    ],
    [
      'no operations',
      { probabilisticSampling: { samplingRate: 0.1 }, operationSampling: { defaultSamplingProbability: 0.5 } },
      { kind: 'ratio', ratio: 0.1 },
    ],
  ])('reads %s', (_what, answer, expected) => {
    expect(readStrategy(answer)).toEqual(expected);
  });

  it.each<[answer: unknown]>([
    [null],
    ['PROBABILISTIC'],
    [{}],
    [{ probabilisticSampling: { samplingRate: 7 } }],
    [{ probabilisticSampling: { samplingRate: 'all' } }],
    [{ rateLimitingSampling: { maxTracesPerSecond: -1 } }],
    [
      {
        operationSampling: { perOperationStrategies: [{ operation: 'a', probabilisticSampling: { samplingRate: 2 } }] },
      },
    ],
  ])('refuses %j', (answer) => {
    expect(() => readStrategy(answer)).toThrow();
  });
});

describe('RateLimitingSampler', () => {
  it.each([
    [0, 0],
    [0.25, 3],
    [2, 21],
    [1000, 100],
  ])(
    'with %d per second samples %d of 100 traces in ten seconds: the rate, and the credit at the start',
    (perSecond, kept) => {
      let now = 1000;
      const sampler = new RateLimitingSampler(perSecond, () => now);
      const decisions = Array.from({ length: 100 }, () => {
        now += 100;
        return sampler.shouldSample().decision;
      });
      const count = decisions.filter((decision) => decision === 2).length;
      expect(Math.abs(count - kept)).toBeLessThanOrEqual(1);
    },
  );
});

describe('jaeger_remote', () => {
  let warnings: string[];
  let cleanup: (() => unknown)[];
  beforeEach(() => {
    warnings = [];
    cleanup = [];
    setDiagnosticsSink({ warn: (message) => warnings.push(message) });
  });
  afterEach(async () => {
    for (const undo of cleanup.toReversed()) await undo();
    setDiagnosticsSink();
  });

  /** A sampling API that gives one answer after the other, and repeats the last one. */
  async function jaeger(...answers: (object | number | string)[]) {
    const asked: string[] = [];
    let wake: () => void = () => {};
    const server = http.createServer((request, response) => {
      asked.push(request.url ?? '');
      const answer = answers[Math.min(asked.length, answers.length) - 1]!;
      if (typeof answer === 'number') response.writeHead(answer).end();
      else response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
      wake();
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    cleanup.push(() => new Promise((resolve) => server.close(resolve)));
    const endpoint = `http://me:hunter2@127.0.0.1:${(server.address() as AddressInfo).port}/sampling`;
    /** Resolves when the API has received this number of requests: by then, the answer before the last one has been applied. */
    const askedOften = async (times: number) => {
      while (asked.length < times) await new Promise<void>((resolve) => (wake = resolve));
    };
    return { endpoint, asked, askedOften };
  }

  function start(endpoint: string, initialRatio = 0, type: RemoteSamplerName = 'jaeger_remote'): StartedSampling {
    const sampling = createSampling({ type, endpoint, initialRatio, pollingInterval: 10 }, 'my shop');
    cleanup.push(() => sampling.stop());
    return sampling;
  }

  const keeps = ({ sampler }: StartedSampling, traceId: string, name = 'root') =>
    sampler.shouldSample(ROOT_CONTEXT, traceId, name, SpanKind.SERVER, {}, []).decision === 2;
  const ratio = (samplingRate: number) => ({ strategyType: 0, probabilisticSampling: { samplingRate } });

  it('requests the strategy of the service, uses the initial ratio until the answer, and applies each change', async () => {
    const { endpoint, asked, askedOften } = await jaeger(ratio(1), ratio(1), ratio(0));
    const sampling = start(endpoint, 0.5);
    expect([LOW, HIGH].map((traceId) => keeps(sampling, traceId))).toEqual([true, false]);
    await askedOften(2);
    expect(keeps(sampling, HIGH)).toBe(true);
    await askedOften(4);
    expect(keeps(sampling, LOW)).toBe(false);
    expect(asked[0]).toBe('/sampling?service=my+shop');
    expect(warnings).toEqual([]);
  });

  it('has a ratio for each operation, and a default ratio', async () => {
    const perOperationStrategies = [{ operation: 'a', probabilisticSampling: { samplingRate: 1 } }];
    const { endpoint, askedOften } = await jaeger({ operationSampling: { perOperationStrategies } });
    const sampling = start(endpoint);
    await askedOften(2);
    expect([keeps(sampling, HIGH, 'a'), keeps(sampling, LOW, 'b')]).toEqual([true, false]);
    expect(String(sampling.sampler)).toContain('OperationsSampler{a}');
  });

  it('keeps counting while a rate stays the same', async () => {
    const { endpoint, askedOften } = await jaeger({ rateLimitingSampling: { maxTracesPerSecond: 0.001 } });
    const sampling = start(endpoint);
    await askedOften(2);
    expect(keeps(sampling, LOW)).toBe(true);
    await askedOften(4);
    expect(keeps(sampling, LOW)).toBe(false);
  });

  it('follows the decision of a caller if it is parent-based', async () => {
    const { endpoint } = await jaeger(ratio(0));
    expect(String(start(endpoint, 0, 'parentbased_jaeger_remote').sampler)).toContain('ParentBased');
    expect(String(start(endpoint, 0).sampler)).not.toContain('ParentBased');
  });

  it.each<[what: string, answer: object | number | string, reason: string]>([
    ['fails', 503, 'status 503'],
    ['is no JSON', '<html>', 'JSON'],
    ['is no strategy', {}, 'no strategy'],
  ])('keeps the last strategy, and warns once, if an answer %s', async (_what, answer, reason) => {
    const { endpoint, askedOften } = await jaeger(ratio(1), answer);
    const sampling = start(endpoint);
    await askedOften(5);
    expect(keeps(sampling, HIGH)).toBe(true);
    expect(warnings).toEqual([expect.stringMatching(/^http:.*\/sampling could not be asked how to sample/)]);
    expect(warnings[0]).toContain(reason);
    expect(warnings[0]).not.toContain('hunter2');
  });

  it('sends no more requests when it is stopped, and aborts a pending one', async () => {
    let connected: () => void = () => {};
    const silent = net.createServer((socket) => {
      socket.resume().on('error', () => {});
      connected();
    });
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
    const asked = new Promise<void>((resolve) => (connected = resolve));
    const sampling = start(`http://127.0.0.1:${(silent.address() as AddressInfo).port}/sampling`, 1);
    await asked;
    expect(keeps(sampling, MIDDLE)).toBe(true);
    sampling.stop();
    // The server closes when its last connection is closed.
    await new Promise((resolve) => silent.close(resolve));
    expect(keeps(sampling, MIDDLE)).toBe(true);
    expect(warnings).toEqual([]);
  });

  it('does not use the context in which it was started', async () => {
    const { endpoint, askedOften } = await jaeger(ratio(1));
    const before = context.active();
    start(endpoint);
    expect(context.active()).toBe(before);
    await askedOften(1);
  });
});
