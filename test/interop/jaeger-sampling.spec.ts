import net, { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePorts } from '../../sample/02-shop/run/free-ports.js';
import { Apps, type RunningApp } from '../support/apps.js';
import { Jaeger } from './support/jaeger.js';
import { until } from './support/jaeger-query.js';
import { ways } from './support/ways.js';

const ROOTS = 1000;
const all = { type: 'probabilistic', param: 1 } as const;
const none = { type: 'probabilistic', param: 0 } as const;

let apps: Apps;
let jaeger: Jaeger;
beforeAll(async () => {
  apps = new Apps('test/interop/apps');
  const strategies = { service_strategies: [{ service: 'shop', ...all }], default_strategy: none };
  jaeger = await Jaeger.start({ strategies });
});
afterAll(async () => {
  apps.remove();
  await jaeger.stop();
});

/** An application, and the number of traces out of a thousand that it keeps. */
interface Sampled {
  readonly app: RunningApp;
  kept(name?: string): Promise<number>;
  flush(): Promise<void>;
}

async function start(serviceName: string, sampler?: object, env: Record<string, string> = {}): Promise<Sampled> {
  const [port] = await freePorts(1);
  const exporter = ways['OTLP http/protobuf'].exporter(jaeger);
  const args = [JSON.stringify({ serviceName, exporter, sampler })];
  const app = apps.start('service', { args, env: { PORT: String(port), ...env } });
  await app.said('listening');
  return {
    app,
    async kept(name = 'root') {
      const response = await fetch(`http://127.0.0.1:${port}/roots/${ROOTS}?name=${name}`);
      return ((await response.json()) as { kept: number }).kept;
    },
    async flush() {
      await fetch(`http://127.0.0.1:${port}/flush`);
    },
  };
}

describe('remote sampling by Jaeger', () => {
  let shop: Sampled;
  let other: Sampled;

  beforeAll(async () => {
    const endpoint = `http://127.0.0.1:${jaeger.ports.sampling}`;
    shop = await start('shop', { type: 'jaeger_remote', endpoint, initialRatio: 0, pollingInterval: 50 });
    other = await start('other', undefined, {
      OTEL_TRACES_SAMPLER: 'parentbased_jaeger_remote',
      OTEL_TRACES_SAMPLER_ARG: `endpoint=${endpoint},pollingIntervalMs=50,initialSamplingRate=1`,
    });
  });

  it('keeps everything or nothing, as the strategy of the service says', async () => {
    expect(
      await until(
        () => shop.kept(),
        (kept) => kept === ROOTS,
      ),
    ).toBe(ROOTS);
    expect(
      await until(
        () => other.kept(),
        (kept) => kept === 0,
      ),
    ).toBe(0);
  });

  it('follows a change', async () => {
    jaeger.setStrategies({ service_strategies: [{ service: 'other', ...all }], default_strategy: none });
    expect(
      await until(
        () => shop.kept(),
        (kept) => kept === 0,
      ),
    ).toBe(0);
    expect(
      await until(
        () => other.kept(),
        (kept) => kept === ROOTS,
      ),
    ).toBe(ROOTS);
  });

  it('keeps a share', async () => {
    jaeger.setStrategies({ default_strategy: { type: 'probabilistic', param: 0.3 } });
    const isShare = (kept: number) => kept > 200 && kept < 400;
    expect(await until(() => shop.kept(), isShare)).toBeGreaterThan(200);
    expect(await shop.kept()).toBeLessThan(400);
  });

  it('keeps some a second', async () => {
    jaeger.setStrategies({ default_strategy: { type: 'ratelimiting', param: 5 } });
    const few = (kept: number) => kept <= 5;
    expect(await until(() => shop.kept(), few)).toBeLessThanOrEqual(5);
    // They have been saved up when a second is over.
    expect(
      await until(
        () => shop.kept(),
        (kept) => kept > 0,
      ),
    ).toBeLessThanOrEqual(5);
  });

  it('keeps a share of its own of an operation', async () => {
    const operation_strategies = [{ operation: 'important', ...all }];
    jaeger.setStrategies({ service_strategies: [{ service: 'shop', ...none, operation_strategies }] });
    expect(
      await until(
        () => shop.kept('important'),
        (kept) => kept === ROOTS,
      ),
    ).toBe(ROOTS);
    expect(
      await until(
        () => shop.kept('other'),
        (kept) => kept === 0,
      ),
    ).toBe(0);
  });

  it('goes on as before while Jaeger is away, and follows it again when it is back', async () => {
    await jaeger.kill();
    expect(await shop.kept('important')).toBe(ROOTS);
    jaeger.setStrategies({ default_strategy: none });
    expect(await shop.kept('important')).toBe(ROOTS);
    await jaeger.restart();
    expect(
      await until(
        () => shop.kept('important'),
        (kept) => kept === 0,
      ),
    ).toBe(0);
  });

  it('leaves no trace of its own questions, and complains once', async () => {
    // The spans that were queued while Jaeger was down would leave no room for new ones.
    await shop.flush();
    jaeger.setStrategies({ default_strategy: all });
    await until(
      () => shop.kept(),
      (kept) => kept === ROOTS,
    );
    for (const { app } of [shop, other]) app.signal('SIGTERM');
    const [{ stdout, stderr }] = await Promise.all([shop.app.ended, other.app.ended]);
    expect(`${stdout}${stderr}`.match(/could not be asked how to sample/g)?.length ?? 0).toBeLessThanOrEqual(1);
    const operations = await jaeger.query.operations('shop');
    expect(operations).toContain('root (internal)');
    expect(operations.filter((operation) => operation.endsWith('(client)'))).toEqual([]);
  });
});

it('does not keep a process alive that waits for an answer about sampling', async () => {
  const silent = net.createServer((socket) => socket.on('error', () => {}).resume());
  await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const tracing = { exporter: 'none', sampler: { type: 'jaeger_remote', endpoint } };
  const { code, stdout } = await apps.run('everything', { args: [JSON.stringify(tracing)] });
  const closedAt = performance.now();
  expect([code, stdout]).toEqual([0, expect.stringContaining('root')]);
  await new Promise((resolve) => silent.close(resolve));
  expect(performance.now() - closedAt).toBeLessThan(1000);
});
