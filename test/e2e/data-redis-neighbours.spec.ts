/** Each command of Redis has one span, also beside OpenTelemetry's instrumentations. */
import { afterAll, expect, it } from '@jest/globals';
import { Apps } from '../support/apps.js';
import { startRedisServer } from '../support/redis-server.js';

const apps = new Apps();

afterAll(() => apps.remove());

it('the library leaves the spans to the instrumentations of OpenTelemetry', async () => {
  const server = await startRedisServer();
  const { stdout, stderr } = await apps.run('data-redis-neighbours', { args: [String(server.port)] });
  await server.stop();
  expect(stderr).toBe('');
  const makers = JSON.parse(stdout) as string[];
  expect(makers.filter((maker) => maker === 'nestjs-tracing')).toEqual([]);
  expect(new Set(makers)).toEqual(
    new Set(['@opentelemetry/instrumentation-ioredis', '@opentelemetry/instrumentation-redis', 'app']),
  );
});
