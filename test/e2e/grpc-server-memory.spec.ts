import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { GrpcMethod, GrpcStreamMethod } from '@nestjs/microservices';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { context } from '@opentelemetry/api';
import { concat, defer, firstValueFrom, NEVER, of, Subject, type Observable } from 'rxjs';
import { connect } from 'node:http2';
import { Operation } from '../../lib/core/operation.js';
import { countHeld } from '../support/garbage.js';
import { startGrpcApp, type GrpcApp, type Message } from '../support/grpc-app.js';
import { frame } from '../support/raw-grpc-call.js';
import { scale } from '../support/scale.js';

const AT_ONCE = 100;
const CALLS = 6 * AT_ONCE * scale;

/** The objects that the handlers have seen, in weak references so that they can be collected. */
const operations: WeakRef<Operation>[] = [];
const streams: WeakRef<object>[] = [];
const all = new Subject<void>();

const open = () =>
  defer(() => {
    if (operations.push(new WeakRef(Operation.in(context.active())!)) % AT_ONCE === 0) all.next();
    return concat(of({}), NEVER);
  });

@Controller()
class EchoController {
  @GrpcMethod('Echo', 'ServerStream')
  serverStream(
    _message: Message,
    _metadata: unknown,
    call: ServerWritableStream<Message, Message>,
  ): Observable<Message> {
    streams.push(new WeakRef(call));
    return open();
  }
  @GrpcStreamMethod('Echo', 'Bidi')
  bidi(): Observable<Message> {
    return open();
  }
}

/** Opens many calls on a connection, and cancels all of them when the last one has reached its handler. */
async function openAndGiveUp(port: number): Promise<void> {
  const reached = firstValueFrom(all);
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  for (let n = 0; n < AT_ONCE; n++) {
    const path = n % 2 === 0 ? '/test.Echo/ServerStream' : '/test.Echo/Bidi';
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
    stream.on('error', () => {}).resume();
    if (n % 2 === 0) stream.end(frame(Buffer.alloc(0)));
    else stream.write(frame(Buffer.alloc(0)));
  }
  await reached;
  session.destroy();
}

describe('memory', () => {
  let grpc: GrpcApp;
  beforeAll(async () => {
    grpc = await startGrpcApp({ controllers: [EchoController] });
  });
  afterAll(() => grpc.close());

  it(
    'keeps nothing of streams that were given up',
    async () => {
      for (let n = 0; n < CALLS; n += AT_ONCE) {
        await openAndGiveUp(grpc.port);
        await grpc.traces.until((spans) => spans.length === 2 * AT_ONCE);
        const statuses = new Set(grpc.traces.take().map(({ attributes }) => attributes['rpc.status_code']));
        expect(statuses).toEqual(new Set([undefined, 'CANCELLED']));
      }
      expect(grpc.traces.open).toEqual([]);
      expect(operations).toHaveLength(CALLS);
      // The last connection may still hold its own objects.
      expect(await countHeld(operations)).toBeLessThanOrEqual(AT_ONCE);
      expect(await countHeld(streams)).toBeLessThanOrEqual(AT_ONCE);
    },
    60_000 * scale,
  );
});
