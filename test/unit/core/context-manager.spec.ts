import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { createContextKey, ROOT_CONTEXT, type Context, type ContextManager } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { describe, expect, it } from '@jest/globals';
import { contextManager, contextStorage } from '../../../lib/core/context-manager.js';

const KEY = createContextKey('test');
const named = (name: string): Context => ROOT_CONTEXT.setValue(KEY, name);

// Code that was written for OpenTelemetry's own context manager must find the same behaviour here.
const managers: [string, () => ContextManager][] = [
  ['our context manager', () => contextManager],
  ["OpenTelemetry's context manager", () => new AsyncLocalStorageContextManager().enable()],
];

describe.each(managers)('%s', (_, create) => {
  const manager = create();
  const active = () => manager.active().getValue(KEY);

  it('is at the root outside of every with()', () => {
    expect(manager.active()).toBe(ROOT_CONTEXT);
  });

  it('makes a context active for a call, and the former one afterwards', () => {
    const seen = manager.with(named('outer'), () => {
      const inner = manager.with(named('inner'), active);
      return [inner, active()];
    });
    expect(seen).toEqual(['inner', 'outer']);
    expect(active()).toBeUndefined();
  });

  it('passes this, arguments and the result through with()', () => {
    const owner = { factor: 2 };
    function multiply(this: typeof owner, a: number, b: number): number {
      return this.factor * a * b;
    }
    expect(manager.with(named('x'), multiply, owner, 3, 4)).toBe(24);
    expect(manager.with(named('x'), (...args: number[]) => args, undefined, 1, 2)).toEqual([1, 2]);
  });

  it('restores the context when the call throws, and throws on', () => {
    const thrown = new Error('stop');
    manager.with(named('outer'), () => {
      const failing = () =>
        manager.with(named('inner'), () => {
          throw thrown;
        });
      expect(failing).toThrow(thrown);
      expect(active()).toBe('outer');
    });
  });

  it('goes back to the root inside a with(ROOT_CONTEXT)', () => {
    expect(manager.with(named('x'), () => manager.with(ROOT_CONTEXT, () => manager.active()))).toBe(ROOT_CONTEXT);
  });

  it('takes a missing context for the root', () => {
    const missing = undefined as unknown as Context;
    expect(manager.with(named('x'), () => manager.with(missing, () => manager.active()))).toBe(ROOT_CONTEXT);
  });

  it('keeps the context over awaits, timers, ticks and microtasks', async () => {
    const seen = await manager.with(named('x'), async () => {
      const all = [active()];
      await Promise.resolve();
      all.push(active());
      await delay(1);
      all.push(active());
      all.push(await new Promise((resolve) => process.nextTick(() => resolve(active()))));
      all.push(await new Promise((resolve) => queueMicrotask(() => resolve(active()))));
      all.push(await new Promise((resolve) => setTimeout(() => resolve(active()), 1)));
      return all;
    });
    expect(seen).toEqual(['x', 'x', 'x', 'x', 'x', 'x']);
    expect(active()).toBeUndefined();
  });

  it('keeps concurrent chains apart', async () => {
    const chain = (name: string) =>
      manager.with(named(name), async () => {
        await delay(2);
        return active();
      });
    await expect(Promise.all([chain('a'), chain('b'), chain('c')])).resolves.toEqual(['a', 'b', 'c']);
  });

  describe('bind() of a function', () => {
    it('runs it in the context, wherever it is called', () => {
      const bound = manager.bind(named('bound'), active);
      expect(bound()).toBe('bound');
      expect(manager.with(named('other'), bound)).toBe('bound');
      expect(active()).toBeUndefined();
    });

    it('keeps this, arguments, result, exceptions and length', () => {
      const owner = {
        factor: 2,
        multiply: manager.bind(named('x'), function (this: { factor: number }, a: number, b: number) {
          if (a < 0) throw new RangeError('negative');
          return this.factor * a * b;
        }),
      };
      expect(owner.multiply(3, 4)).toBe(24);
      expect(() => owner.multiply(-1, 0)).toThrow(RangeError);
      expect(owner.multiply).toHaveLength(2);
    });

    it('leaves the inner context to a function that is bound already', () => {
      expect(manager.bind(named('outer'), manager.bind(named('inner'), active))()).toBe('inner');
    });

    it('returns anything else as it is', () => {
      const value = { any: 'thing' };
      expect(manager.bind(named('x'), value)).toBe(value);
      expect(manager.bind(named('x'), undefined)).toBeUndefined();
    });
  });

  describe('bind() of an EventEmitter', () => {
    function listenWith(method: 'on' | 'addListener' | 'once' | 'prependListener' | 'prependOnceListener') {
      const emitter = manager.bind(named('bound'), new EventEmitter());
      const seen: unknown[] = [];
      emitter[method]('event', () => seen.push(active()));
      manager.with(named('other'), () => emitter.emit('event'));
      emitter.emit('event');
      return seen;
    }

    it.each([
      ['on', ['bound', 'bound']],
      ['addListener', ['bound', 'bound']],
      ['prependListener', ['bound', 'bound']],
      ['once', ['bound']],
      ['prependOnceListener', ['bound']],
    ] as const)('runs a listener of %s() in the context', (method, expected) => {
      expect(listenWith(method)).toEqual(expected);
    });

    it('returns the emitter itself, and passes this, arguments and the result of emit()', () => {
      const emitter = new EventEmitter();
      expect(manager.bind(named('x'), emitter)).toBe(emitter);
      const calls: unknown[] = [];
      emitter.on('event', function (this: EventEmitter, ...args: unknown[]) {
        calls.push(this === emitter, args);
      });
      expect(emitter.emit('event', 1, 'two')).toBe(true);
      expect(emitter.emit('without a listener')).toBe(false);
      expect(calls).toEqual([true, [1, 'two']]);
    });

    it.each(['off', 'removeListener'] as const)('lets %s() take a listener back', (method) => {
      const emitter = manager.bind(named('x'), new EventEmitter());
      const seen: string[] = [];
      const listener = () => seen.push('called');
      emitter.on('event', listener);
      emitter[method]('event', listener);
      emitter.once('event', listener);
      emitter[method]('event', listener);
      expect(emitter.emit('event')).toBe(false);
      expect(seen).toEqual([]);
    });

    it('lets removeAllListeners() take all back', () => {
      const emitter = manager.bind(named('x'), new EventEmitter());
      emitter.on('a', () => {}).on('b', () => {});
      emitter.removeAllListeners('a');
      expect([emitter.listenerCount('a'), emitter.listenerCount('b')]).toEqual([0, 1]);
      emitter.removeAllListeners();
      expect(emitter.listenerCount('b')).toBe(0);
    });

    it('keeps the context it was bound to first', () => {
      const emitter = manager.bind(named('second'), manager.bind(named('first'), new EventEmitter()));
      let seen: unknown;
      emitter.on('event', () => (seen = active()));
      emitter.emit('event');
      expect(seen).toBe('first');
    });

    it('works with events.once()', async () => {
      const emitter = manager.bind(named('x'), new EventEmitter());
      const event = once(emitter, 'event');
      emitter.emit('event', 42);
      await expect(event).resolves.toEqual([42]);
    });

    it("throws an 'error' without a listener", () => {
      const emitter = manager.bind(named('x'), new EventEmitter());
      expect(() => emitter.emit('error', new Error('lost'))).toThrow('lost');
      expect(active()).toBeUndefined();
    });
  });
});

describe('our context manager', () => {
  it('keeps the active context in the storage that channels are bound to', () => {
    const context = named('x');
    contextManager.with(context, () => expect(contextStorage.getStore()).toBe(context));
    contextStorage.run(context, () => expect(contextManager.active()).toBe(context));
  });

  it('leaves contexts that are in flight readable when it is disabled', () => {
    contextManager.with(named('x'), () => {
      expect(contextManager.disable()).toBe(contextManager);
      expect(contextManager.active().getValue(KEY)).toBe('x');
    });
    expect(contextManager.enable()).toBe(contextManager);
  });

  it('hands listeners out as they were given', () => {
    const emitter = contextManager.bind(named('x'), new EventEmitter());
    const listener = () => {};
    emitter.on('event', listener);
    expect(emitter.listeners('event')).toEqual([listener]);
  });
});
