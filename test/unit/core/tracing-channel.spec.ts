import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { context, createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { hasSubscribers, tracingChannel } from 'node:diagnostics_channel';
import { setTimeout as wait } from 'node:timers/promises';
import { followTracingChannel } from '../../../lib/core/tracing-channel.js';
import { registerContextManager } from '../../../lib/sdk/globals.js';
import { recordWarnings } from '../../support/recorded-warnings.js';

const NAME = 'test:calls';
const KEY = createContextKey('test');
/** The types of Node know neither the arguments of the callback nor a position of it. */
interface TestChannel {
  traceCallback(
    fn: (callback: (...args: unknown[]) => void) => unknown,
    position: number,
    message: object,
    thisArg: unknown,
    callback: (...args: unknown[]) => void,
  ): unknown;
  tracePromise(fn: () => Promise<unknown>, message: object): Promise<unknown>;
}

const channel = tracingChannel(NAME) as unknown as TestChannel;
const named = (name: string) => ROOT_CONTEXT.setValue(KEY, name);
const nameOf = (of: Context) => (of.getValue(KEY) as string | undefined) ?? 'root';
const warnings = recordWarnings();

let log: unknown[];
let undo: () => void;

function follow(start?: (caller: Context) => Context | undefined): void {
  undo = followTracingChannel(NAME, (_message, caller) => {
    log.push(`start below ${nameOf(caller)}`);
    return {
      context: start?.(caller),
      succeed: (result) => log.push(['succeeded', result]),
      fail: (error) => log.push(['failed', (error as Error).message]),
    };
  });
}

beforeEach(() => {
  log = [];
});

afterEach(() => undo());

describe.each<[string, () => () => void]>([
  ['the context manager of the library', registerContextManager],
  [
    'the context manager of another SDK',
    () => {
      context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
      return () => context.disable();
    },
  ],
])('followTracingChannel() with %s', (_, register) => {
  let unregister: () => void;

  beforeEach(() => {
    unregister = register();
  });

  afterEach(() => unregister());

  it('ends a call with a callback once, before the callback', () => {
    follow();
    channel.traceCallback(
      (done: (...args: unknown[]) => void) => done(null, 5),
      0,
      {},
      null,
      () => log.push('callback'),
    );
    expect(log).toEqual(['start below root', ['succeeded', 5], 'callback']);
  });

  it('ends a call that fails by its callback', () => {
    follow();
    const fail = (done: (error: Error) => void) => done(new Error('broken'));
    channel.traceCallback(fail, 0, {}, null, () => log.push('callback'));
    expect(log).toEqual(['start below root', ['failed', 'broken'], 'callback']);
  });

  it('ends a call that throws, and lets the exception through', () => {
    follow();
    const fail = () => {
      throw new Error('broken');
    };
    expect(() => channel.traceCallback(fail, 0, {}, null, () => {})).toThrow('broken');
    expect(log).toEqual(['start below root', ['failed', 'broken']]);
  });

  it('ends a call with a promise', async () => {
    follow();
    await channel.tracePromise(() => Promise.resolve(5), {});
    await channel.tracePromise(() => Promise.reject(new Error('broken')), {}).catch(() => {});
    expect(log).toEqual(['start below root', ['succeeded', 5], 'start below root', ['failed', 'broken']]);
  });

  it('starts a call in the callback of another one below the same caller', async () => {
    follow();
    // The driver calls back in the context of whichever request opened its socket.
    const [socket, mine] = [named('socket'), named('mine')];
    const call = (done: () => void) =>
      channel.traceCallback(
        (callback: () => void) => void context.with(socket, () => wait(1)).then(() => context.with(socket, callback)),
        0,
        {},
        null,
        done,
      );
    await new Promise<void>((resolve) => context.with(mine, () => call(() => call(resolve))));
    expect(log.filter((line) => typeof line === 'string')).toEqual(['start below mine', 'start below mine']);
  });

  it('does not take the context of a callback that is over', () => {
    follow();
    const call = (done: () => void) => channel.traceCallback((callback: () => void) => callback(), 0, {}, null, done);
    context.with(named('first'), () => call(() => call(() => {})));
    context.with(named('second'), () => call(() => {}));
    const throwing = () =>
      context.with(named('third'), () =>
        call(() => {
          throw new Error('by the application');
        }),
      );
    expect(throwing).toThrow('by the application');
    call(() => {});
    const starts = log.filter((line) => typeof line === 'string');
    expect(starts).toEqual(['first', 'first', 'second', 'third', 'root'].map((name) => `start below ${name}`));
  });

  it('never throws into the library', () => {
    undo = followTracingChannel(NAME, () => {
      throw new Error('by the tracing');
    });
    const result = channel.traceCallback(
      (done: (...args: unknown[]) => void) => done(null, 5),
      0,
      {},
      null,
      () => {},
    );
    expect(result).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining('by the tracing')]);
  });

  it('leaves no subscriber', () => {
    follow();
    undo();
    channel.traceCallback(
      (done: () => void) => done(),
      0,
      {},
      null,
      () => {},
    );
    expect(log).toEqual([]);
    const events = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];
    expect(events.filter((event) => hasSubscribers(`tracing:${NAME}:${event}`))).toEqual([]);
  });
});

it('runs the library in the context of the call, and the callback in that of the caller', () => {
  const unregister = registerContextManager();
  follow((caller) => caller.setValue(KEY, 'call'));
  const seen: unknown[] = [];
  context.with(named('caller'), () => {
    channel.traceCallback(
      (done: () => void) => {
        seen.push(nameOf(context.active()));
        context.with(named('socket'), done);
      },
      0,
      {},
      null,
      () => seen.push(nameOf(context.active())),
    );
  });
  unregister();
  expect(seen).toEqual(['call', 'caller']);
});
