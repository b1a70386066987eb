/** What is over is held by nothing that lives on: messages, their contexts and their spans. */
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import {
  Ctx,
  EventPattern,
  MessagePattern,
  Payload,
  TcpContext,
  Transport,
  type ClientProxy,
  type ReadPacket,
} from '@nestjs/microservices';
import { context, trace } from '@opentelemetry/api';
import { lastValueFrom, catchError, of } from 'rxjs';
import { freePort } from '../support/free-port.js';
import { countHeld } from '../support/garbage.js';
import { received, startMessagingApp, untilReceived, withMessagingApp } from '../support/messaging-app.js';

const COUNT = 100;
/** A socket or the compiler may hold the last ones. */
const LAST = 4;

/** Timers keep the context in which they were created. */
const timers: NodeJS.Timeout[] = [];
const leaveTimer = (): void => void timers.push(setTimeout(() => {}, 2 ** 30));
let seen: Record<string, WeakRef<object>[]> = {};
const see = (what: string, it: object | undefined): void => void (seen[what] ??= []).push(new WeakRef(it as object));
let leavesTimers = false;

afterEach(() => {
  for (const timer of timers.splice(0)) clearTimeout(timer);
  seen = {};
});

function look(data: object, rpcContext: TcpContext): void {
  see('data', data);
  see('context of Nest', rpcContext);
  if (leavesTimers) leaveTimer();
  else see('context', context.active());
  if (!leavesTimers) see('span', trace.getActiveSpan());
}

@Controller()
class LookingController {
  @MessagePattern('ask')
  async ask(@Payload() data: object, @Ctx() rpcContext: TcpContext): Promise<object> {
    await Promise.resolve();
    look(data, rpcContext);
    return { answer: 1 };
  }

  @EventPattern('tell')
  tell(@Payload() data: object, @Ctx() rpcContext: unknown): void {
    look(data, rpcContext as TcpContext);
    received.emit('tell', true);
  }
}

class TimingDeserializer {
  deserialize(packet: object): ReadPacket {
    see('packet', packet);
    leaveTimer();
    return packet as ReadPacket;
  }
}

const tcp = async (options: object = {}) => ({
  transport: Transport.TCP,
  options: { host: '127.0.0.1', port: await freePort(), ...options },
});

async function exchange(client: ClientProxy, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const answer: object = await lastValueFrom(client.send<object>('ask', { index }));
    see('answer', answer);
    const told = untilReceived('tell');
    client.emit('tell', { index });
    await told;
  }
}

async function heldByKind(): Promise<Record<string, number>> {
  const held: Record<string, number> = {};
  for (const [what, refs] of Object.entries(seen)) {
    expect(refs.length).toBeGreaterThanOrEqual(COUNT);
    const count = await countHeld(refs);
    if (count > LAST) held[what] = count;
  }
  return held;
}

describe('a message over TCP', () => {
  it.each([
    ['', false],
    [', though its handlers leave timers behind', true],
  ])('is not held when it is over, nor when the connection was dropped%s', async (_name, timersAreLeft) => {
    leavesTimers = timersAreLeft;
    await withMessagingApp(await tcp(), { controllers: [LookingController] }, async ({ client, traces }) => {
      await exchange(client, COUNT / 2);
      const { socket } = client as unknown as { socket: { socket: Socket } };
      const closed = new Promise((resolve) => socket.socket.once('close', resolve));
      const lost = lastValueFrom(client.send('ask', { index: -1 }).pipe(catchError((error: unknown) => of(error))));
      socket.socket.destroy();
      await Promise.all([closed, lost]);
      await exchange(client, COUNT / 2);
      traces.reset();
      await expect(heldByKind()).resolves.toEqual({});
      expect(Object.keys(seen)).toEqual(
        expect.arrayContaining(['data', 'context of Nest', 'answer', ...(timersAreLeft ? [] : ['context', 'span'])]),
      );
    });
  });

  it('is not held by the timers of a deserializer', async () => {
    leavesTimers = false;
    const transport = await tcp({ deserializer: new TimingDeserializer() });
    const clientOptions = { ...transport, options: { ...transport.options, deserializer: undefined } };
    await withMessagingApp(
      transport,
      { controllers: [LookingController], clientOptions },
      async ({ client, traces }) => {
        await exchange(client, COUNT);
        traces.reset();
        await expect(heldByKind()).resolves.toEqual({});
      },
    );
  });
});

it('holds neither clients nor servers of applications that have closed', async () => {
  const refs: WeakRef<object>[] = [];
  for (let index = 0; index < 8; index++) {
    const { app, client, close, traces } = await startMessagingApp(await tcp(), { controllers: [LookingController] });
    await exchange(client, 1);
    refs.push(new WeakRef(client), new WeakRef(app));
    await close();
    traces.reset();
  }
  expect(await countHeld(refs)).toBeLessThanOrEqual(LAST);
});
