import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { grpcTracingInterceptor } from 'nestjs-tracing';
import { lastValueFrom } from 'rxjs';
import { callEcho, echoClient, kinds } from '../support/echo-calls.js';
import { countHeld } from '../support/garbage.js';
import { startGrpcClientApp, type GrpcClientApp } from '../support/grpc-client-app.js';
import { scale } from '../support/scale.js';

const CONNECTIONS = 2 * scale;
const ROUNDS = 5;
const AT_ONCE = 40;
const CALLS = CONNECTIONS * ROUNDS * AT_ONCE * 3;

let grpc: GrpcClientApp;
beforeAll(async () => (grpc = await startGrpcClientApp()));
afterAll(() => grpc.close());

it(
  `${CALLS} calls, made and cancelled, leave nothing behind`,
  async () => {
    const refs: WeakRef<object>[] = [];
    let spans = 0;
    for (let connection = 0; connection < CONNECTIONS; connection++) {
      // A server of Node closes a connection on which too many calls are cancelled.
      const interceptors = [grpcTracingInterceptor()];
      const client = echoClient(grpc.server.address, { interceptors, 'grpc.use_local_subchannel_pool': 1 });
      for (let round = 0; round < ROUNDS; round++) {
        const calls = Array.from({ length: AT_ONCE }, async (_, index) => {
          const [kind] = kinds[index % 4]!;
          const ended = callEcho(client, kind, { text: 'a', count: 1 });
          const cancelled = callEcho(client, kind, { text: 'hang' });
          refs.push(new WeakRef(ended.call), new WeakRef(cancelled.call));
          await ended.ended;
          cancelled.call.cancel();
          await cancelled.ended;
        });
        await Promise.all(calls);
        await Promise.all(Array.from({ length: AT_ONCE }, () => lastValueFrom(grpc.echo.unary({ text: 'a' }))));
      }
      client.close();
      await grpc.traces.until(() => grpc.traces.open.length === 0, 'every span to end');
      spans += grpc.traces.take().length;
      grpc.server.received.length = 0;
    }
    expect(spans).toBe(CALLS);
    expect(grpc.traces.open).toEqual([]);
    // The last ones may still be held by the connection that closes.
    expect(await countHeld(refs)).toBeLessThan(2 * AT_ONCE);
  },
  60_000 * scale,
);
