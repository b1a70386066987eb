/** Sockets of WebSocket clients that have left are held by nothing. */
import { expect, it } from '@jest/globals';
import { Inject, Injectable, Scope } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { EventEmitter, once } from 'node:events';
import { countHeld } from '../support/garbage.js';
import { startSocketApp } from '../support/socket-app.js';

const COUNT = 30;
/** A server or the compiler may hold the last ones. */
const LAST = 4;

const left = new EventEmitter();
let sockets: WeakRef<object>[] = [];

@WebSocketGateway()
class EchoGateway {
  handleConnection(socket: object): void {
    sockets.push(new WeakRef(socket));
  }

  handleDisconnect(): void {
    left.emit('left');
  }

  @SubscribeMessage('echo')
  echo(): object {
    return { event: 'echoed', data: 1 };
  }
}

@Injectable({ scope: Scope.REQUEST })
class State {}

@WebSocketGateway()
class ScopedGateway extends EchoGateway {
  constructor(@Inject(State) readonly state: State) {
    super();
    sockets.push(new WeakRef(this));
  }
}

it.each([
  ['Socket.IO', 'of the application', EchoGateway],
  ['Socket.IO', 'of request scope', ScopedGateway],
  ['ws', 'of the application', EchoGateway],
  ['ws', 'of request scope', ScopedGateway],
] as const)('over %s, with a gateway %s', async (library, _name, gateway) => {
  sockets = [];
  const tracing = { nest: { lifecycle: true }, metrics: true };
  const app = await startSocketApp(library, 'Express', { providers: [gateway, State], tracing });
  for (let index = 0; index < COUNT; index++) {
    const client = await app.connect();
    client.send('echo', { index });
    expect(await client.next()).toEqual(['echoed', 1]);
    const hasLeft = once(left, 'left');
    await client.close();
    await hasLeft;
  }
  app.traces.reset();
  expect(sockets.length).toBeGreaterThanOrEqual(COUNT);
  expect(await countHeld(sockets)).toBeLessThanOrEqual(LAST);
  await app.close();
});
