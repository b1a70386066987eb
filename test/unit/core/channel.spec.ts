import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { channel, hasSubscribers } from 'node:diagnostics_channel';
import { subscribeChannels } from '../../../lib/core/channel.js';
import { setDiagnosticsSink } from '../../../lib/core/diagnostics.js';

describe('subscribeChannels()', () => {
  const said: string[] = [];

  beforeEach(() => {
    said.length = 0;
    setDiagnosticsSink({ warn: (message) => said.push(message) });
  });

  afterEach(() => setDiagnosticsSink());

  it('hands each message to the handler of its channel, until it is undone', () => {
    const heard: unknown[] = [];
    const undo = subscribeChannels({
      'test:one': (message: string) => heard.push(['one', message]),
      'test:two': (message: string) => heard.push(['two', message]),
    });
    channel('test:one').publish('a');
    channel('test:two').publish('b');
    undo();
    channel('test:one').publish('c');
    expect(heard).toEqual([
      ['one', 'a'],
      ['two', 'b'],
    ]);
    expect([hasSubscribers('test:one'), hasSubscribers('test:two')]).toEqual([false, false]);
  });

  it('lets nothing out of a handler, which would end the process', () => {
    const undo = subscribeChannels({
      'test:broken': () => {
        throw new Error('broken');
      },
    });
    channel('test:broken').publish({});
    undo();
    expect(said).toEqual(['A subscriber of the channel test:broken threw and was ignored: Error: broken']);
  });

  it('subscribes the same handler as often as it is asked to, and undoes each by itself', () => {
    let heard = 0;
    const handlers = { 'test:same': () => void heard++ };
    const undoFirst = subscribeChannels(handlers);
    const undoSecond = subscribeChannels(handlers);
    undoFirst();
    undoFirst();
    channel('test:same').publish({});
    expect(heard).toBe(1);
    undoSecond();
    expect(hasSubscribers('test:same')).toBe(false);
  });
});
