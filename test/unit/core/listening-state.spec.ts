import { EventEmitter } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { ListeningState } from '../../../lib/core/listening-state.js';

type Callback = (error?: unknown) => void;

/** A transport that inherits `listen()`, as the transports of Nest do. */
class Transport {
  error: unknown;
  listen(callback?: Callback): string {
    callback?.(this.error);
    return 'result';
  }
}

class Server extends EventEmitter {
  listening = false;
  listen(): void {
    this.listening = true;
    this.emit('listening');
  }
  fail(): void {
    // The listener keeps emit() from throwing, also for a server that is closing, as a listener of the application would.
    this.once('error', () => {}).emit('error', new Error('port taken'));
  }
}

function state() {
  const changes: boolean[] = [];
  const listening = new ListeningState((isUp) => changes.push(isUp));
  return { listening, changes };
}

describe('an application', () => {
  it('goes down where its server cannot listen, and up where it can after all', () => {
    const { listening, changes } = state();
    const server = new Server();
    listening.watchServer(server);
    server.fail();
    server.fail();
    expect(changes).toEqual([false]);
    server.listen();
    server.fail();
    expect(changes).toEqual([false, true]);
  });

  it('stays up as long as one of its servers listens', () => {
    const { listening, changes } = state();
    const [server, transport] = [new Server(), new Transport()];
    transport.error = new Error('port taken');
    listening.watchServer(server);
    listening.watchTransport(transport);
    server.listen();
    transport.listen();
    expect(changes).toEqual([]);
  });

  it('stays up with servers that report nothing', () => {
    const { listening, changes } = state();
    for (const other of [undefined, null, {}, 'server', Object.freeze(new Transport())]) {
      listening.watchServer(other);
      listening.watchTransport(other);
    }
    expect(changes).toEqual([]);
  });

  it('has no error of its servers hidden', () => {
    const server = new Server();
    state().listening.watchServer(server);
    expect(() => server.emit('error', new Error('unhandled'))).toThrow('unhandled');
  });
});

describe('a transport', () => {
  it('is as it was once it listens', () => {
    const { listening } = state();
    const transport = new Transport();
    const keys = Reflect.ownKeys(transport);
    listening.watchTransport(transport);
    expect(Object.keys(transport)).toEqual(keys);
    const callback = jest.fn();
    expect(transport.listen(callback)).toBe('result');
    expect(callback.mock.calls).toEqual([[undefined]]);
    expect(Reflect.ownKeys(transport)).toEqual(keys);
  });

  it('keeps a method of its own, and has an inherited one looked up when it is called', () => {
    const { listening } = state();
    const [own, inheriting] = [Object.assign(new Transport(), { listen: jest.fn() }), new Transport()];
    const { listen } = own;
    for (const transport of [own, inheriting]) listening.watchTransport(transport);
    const later = jest.spyOn(Transport.prototype, 'listen');
    own.listen();
    inheriting.listen();
    expect(own.listen).toBe(listen);
    expect(listen).toHaveBeenCalledTimes(1);
    expect(later).toHaveBeenCalledTimes(1);
    later.mockRestore();
  });

  it('may fail several times, by its callback or an exception, before it listens', () => {
    const { listening, changes } = state();
    const transport = new Transport();
    listening.watchTransport(transport);
    transport.error = new Error('port taken');
    transport.listen();
    const broken = jest.spyOn(Transport.prototype, 'listen').mockImplementation(() => {
      throw new Error('no such host');
    });
    expect(() => transport.listen()).toThrow('no such host');
    broken.mockRestore();
    expect(changes).toEqual([false]);
    transport.error = undefined;
    transport.listen();
    expect(changes).toEqual([false, true]);
    expect(Reflect.ownKeys(transport)).toEqual(['error']);
  });
});
