import { afterAll, describe, expect, it } from '@jest/globals';
import type { TracingOptions } from 'nestjs-tracing';
import { Apps } from '../support/apps.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';

const apps = new Apps();
afterAll(() => apps.remove());

const GROUPS = 'HTTP, gRPC, messages, databases, jobs, WebSockets, GraphQL, events';
const SIGNALS =
  'warn The last spans are lost when this process is stopped, because nothing listens to SIGTERM. Call app.enableShutdownHooks() in main.ts, or set shutdown: { onProcessExit: true }.';

/** Runs the application until it has written a line, and ends it by SIGTERM. Returns what it has written. */
async function run(options: TracingOptions, until: string, { env = {}, signals = '' } = {}) {
  const app = apps.start('start-report', { args: [JSON.stringify(options), signals], env });
  await app.said(until);
  app.signal('SIGTERM');
  const { stdout } = await app.ended;
  return stdout;
}

const linesOf = (stdout: string) => stdout.split('\n').filter((line) => /^(log|warn|error|debug) /.test(line));

describe('an application that starts', () => {
  it('says once what is traced and where the spans go, and soon that there is no backend', async () => {
    const missing =
      "warn Spans do not reach http://127.0.0.1:9/v1/traces so far (Error: connect ECONNREFUSED 127.0.0.1:9), and wait for another attempt. Nothing listens there: start a backend, set OTEL_EXPORTER_OTLP_ENDPOINT, or see the traces with exporter: 'console'.";
    const exporter = { type: 'otlp', endpoint: 'http://127.0.0.1:9' } as const;
    const stdout = await run({ exporter, sampler: { ratio: 1 } }, missing, { signals: 'hooks' });
    const [start, second] = linesOf(stdout);
    expect(start).toBe(
      `log Tracing ${GROUPS} of "orders": all traces go to http://127.0.0.1:9/v1/traces (OTLP, http/protobuf).`,
    );
    // The export was still being repeated: nothing is lost yet.
    expect(second).toBe(missing);
  });

  it.each<[string, TracingOptions, string, boolean]>([
    ['does not listen to SIGTERM', {}, '', true],
    ['has enabled the hooks of Nest', {}, 'hooks', false],
    ['exports at the end of the process', { shutdown: { onProcessExit: true } }, '', false],
  ])('tells whether its last spans will be lost if it %s', async (_what, options, signals, isWarned) => {
    const receiver = await OtlpReceiver.start();
    const exporter = { type: 'otlp', endpoint: receiver.url } as const;
    const lines = linesOf(await run({ exporter, ...options }, 'looked', { signals }));
    await receiver.stop();
    expect(lines.slice(1)).toEqual(isWarned ? [SIGNALS] : []);
  });

  it.each([
    ['error', 0],
    ['NONE', 0],
    ['warn', 1],
    ['info', 2],
  ])('keeps to OTEL_LOG_LEVEL=%s', async (level, count) => {
    const exporter = { type: 'otlp', endpoint: 'http://127.0.0.1:9' } as const;
    const sampler = 'always_off';
    const stdout = await run({ exporter, sampler }, 'looked', { env: { OTEL_LOG_LEVEL: level } });
    expect(linesOf(stdout)).toHaveLength(count);
  });

  it('prints a request to itself in one tree, with each span once', async () => {
    const stdout = await run({ exporter: 'console' }, 'ready');
    const tree = stdout
      .split('\n')
      .filter((line) => /^trace|GET|Controller/.test(line))
      .map((line) => line.replace(/ · .*$| {2,}\d.*$/, '').replace(/^trace \w+/, 'trace'))
      .filter((line) => !line.startsWith('log'));
    expect(tree).toEqual([
      'trace',
      'GET  CLIENT',
      '└─ GET /orders  SERVER',
      '   └─ OrdersController.orders',
      '      └─ GET  CLIENT',
      '         └─ GET /prices  SERVER',
      '            └─ OrdersController.prices',
    ]);
  });
});
