import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { GrpcMethod, GrpcStreamMethod } from '@nestjs/microservices';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { context } from '@opentelemetry/api';
import { concat, defer, firstValueFrom, NEVER, of, Subject, type Observable } from 'rxjs';
import { connect } from 'node:http2';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Operation } from '../../lib/core/operation.js';
import { startGrpcApp, type GrpcApp, type Message } from '../support/grpc-app.js';
import { frame } from '../support/raw-grpc-call.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const CALLS = 10_000;
const AT_ONCE = 250;

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

  it('keeps nothing of streams that were given up', async () => {
    for (let n = 0; n < CALLS; n += AT_ONCE) {
      await openAndGiveUp(grpc.port);
      await grpc.traces.until((spans) => spans.length === 2 * AT_ONCE);
      const statuses = new Set(grpc.traces.take().map(({ attributes }) => attributes['rpc.status_code']));
      expect(statuses).toEqual(new Set([undefined, 'CANCELLED']));
    }
    expect(grpc.traces.open).toEqual([]);
    expect(operations).toHaveLength(CALLS);
    // A target that was read from a WeakRef is held until the end of the turn.
    for (let round = 0; round < 5; round++) {
      await setImmediate();
      collectGarbage();
    }
    const alive = (references: WeakRef<object>[]) => references.filter((it) => it.deref()).length;
    // The last connection may still hold its own objects.
    expect(alive(operations)).toBeLessThanOrEqual(AT_ONCE);
    expect(alive(streams)).toBeLessThanOrEqual(AT_ONCE);
  }, 120_000);
});
