/** Messages over a real Redis. */
import { afterAll, beforeAll } from '@jest/globals';
import { Transport } from '@nestjs/microservices';
import { describeTransport } from '../support/messaging-suite.js';
import { startRedis, type RealRedis } from './support/databases.js';

let server: RealRedis;

beforeAll(async () => {
  server = await startRedis({ password: 'secret' });
});

afterAll(() => server.stop());

describeTransport('Redis', {
  system: 'redis',
  options: () => ({
    transport: Transport.REDIS,
    options: { host: '127.0.0.1', port: server.port, password: 'secret' },
  }),
});
