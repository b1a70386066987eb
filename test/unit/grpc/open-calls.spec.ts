import { describe, expect, it } from '@jest/globals';
import { OpenCalls } from '../../../lib/grpc/open-calls.js';

describe('the calls that are open', () => {
  function call(calls: OpenCalls, learns: boolean) {
    const heard: string[] = [];
    const it = {
      heard,
      checkCancelled() {
        heard.push('looked');
        if (learns) process.nextTick(() => calls.delete(it));
      },
      endAsCancelled: () => heard.push('abandoned'),
    };
    calls.add(it);
    return it;
  }

  it('end by themselves where they find their caller gone, and are ended where they do not', async () => {
    const calls = new OpenCalls();
    const gone = call(calls, true);
    const there = call(calls, false);
    const over = call(calls, false);
    calls.delete(over);
    await calls.drain();
    expect([gone.heard, there.heard, over.heard]).toEqual([['looked'], ['looked', 'abandoned'], []]);
  });
});
