/** Messages of WebSocket clients have one span beside OpenTelemetry's instrumentation of Socket.IO. */
import { afterAll, expect, it } from '@jest/globals';
import { Apps } from '../support/apps.js';

const apps = new Apps('test/interop/apps');

afterAll(() => apps.remove());

it('has what is sent to clients below the message or connection that it is sent for', async () => {
  const theirs = '@opentelemetry/instrumentation-socket.io: send / <';
  const { stdout, stderr } = await apps.run('sockets-neighbours');
  expect(stderr).toBe('');
  expect(stdout.split('\n')).toEqual([
    `${theirs} ChatGateway.join`,
    `${theirs} connect`,
    `${theirs} count`,
    `${theirs} count`,
    `${theirs} join`,
    'nestjs-tracing: ChatGateway.count < count',
    'nestjs-tracing: ChatGateway.join < join',
    'nestjs-tracing: connect',
    'nestjs-tracing: count',
    'nestjs-tracing: disconnect',
    'nestjs-tracing: join',
  ]);
});
