import { describe, expect, it } from '@jest/globals';
import { SpanQueue, type Batch, type Failure } from '../../../lib/export/span-queue.js';
import { spanSize } from '../../../lib/export/span-size.js';
import type { ReadableSpan } from '../../../lib/options/sdk-types.js';
import { heapGrowth } from '../../support/heap.js';
import { recordWarnings } from '../../support/recorded-warnings.js';
import { fakeSpan } from '../sdk/fake-span.js';

const warnings = recordWarnings();
let destinations = 0;

const namesOf = ({ spans }: Batch<ReadableSpan>) => spans.map(({ name }) => name);

function queueOf({ maxSpans = 1000, maxBytes = Infinity }, ...spans: ReadableSpan[]): SpanQueue<ReadableSpan> {
  // A warning says how many of its kind and destination were left out before.
  const queue = new SpanQueue<ReadableSpan>(`backend-${++destinations}`, { maxSpans, maxBytes });
  for (const span of spans) queue.add(span);
  return queue;
}

const spansOf = (...names: string[]) => names.map((name) => fakeSpan(name));

/** Returns numbers from 0 to 1, the same for each seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('SpanQueue', () => {
  it('hands out the spans in the order of their arrival', () => {
    const queue = queueOf({}, ...spansOf('a', 'b', 'c'));
    expect(namesOf(queue.take(2, Infinity))).toEqual(['a', 'b']);
    queue.add(fakeSpan('d'));
    expect(namesOf(queue.take(10, Infinity))).toEqual(['c', 'd']);
    expect(queue.take(10, Infinity)).toEqual({ spans: [], bytes: 0 });
  });

  it('counts spans from their arrival to the end of their export', () => {
    const queue = queueOf({}, ...spansOf('a', 'b', 'c'));
    expect(queue).toMatchObject({ acceptedTotal: 3, waiting: 3, takenTotal: 0, underWay: 0 });
    const batch = queue.take(2, Infinity);
    expect(queue).toMatchObject({ acceptedTotal: 3, waiting: 1, takenTotal: 2, underWay: 2 });
    queue.settle(batch, [{ count: 1, error: new Error('no') }]);
    expect(queue).toMatchObject({ acceptedTotal: 3, waiting: 1, takenTotal: 2, underWay: 0 });
    expect(queue.outcomes).toMatchObject({ exported: 1, failed: 1, dropped: 0 });
  });

  it('counts the parts of a batch by the reason for which they have not arrived', () => {
    const queue = queueOf({}, ...spansOf('a', 'b', 'c', 'd'));
    queue.settle(queue.take(4, Infinity), [
      { count: 2, error: new TypeError('no') },
      { count: 1, error: { code: 503 } },
    ]);
    expect(queue.outcomes.exported).toBe(1);
    expect([...queue.outcomes.failures]).toEqual([
      ['TypeError', 2],
      ['503', 1],
    ]);
  });

  it('does not say that spans arrive again when a whole batch has failed', () => {
    const queue = queueOf({}, ...spansOf('a', 'b'));
    for (let index = 0; index < 2; index++) queue.settle(queue.take(1, Infinity), [{ count: 1, error: undefined }]);
    expect(warnings).toEqual([expect.stringContaining('1 span is lost')]);
  });

  it('drops what comes while as many spans wait as may, and takes the next when there is room', () => {
    const queue = queueOf({ maxSpans: 2 });
    expect(spansOf('a', 'b', 'c').map((span) => queue.add(span))).toEqual([true, true, false]);
    expect(queue).toMatchObject({ acceptedTotal: 2, waiting: 2, outcomes: { dropped: 1 } });
    expect(warnings).toEqual([
      `A span is dropped: 2 already wait for their export to ${queue.outcomes.destination}. ` +
        'Keep fewer traces by "sampler", or raise batch.maxQueueSize.',
    ]);
    // Spans under way do not wait.
    queue.take(1, Infinity);
    expect(spansOf('d', 'e').map((span) => queue.add(span))).toEqual([true, false]);
    expect(namesOf(queue.take(10, Infinity))).toEqual(['b', 'd']);
  });

  it('drops what comes while the spans that wait or are under way have as many bytes as may be', () => {
    const span = () => fakeSpan('a', { attributes: { text: 'x'.repeat(1e6) } });
    const queue = queueOf({ maxBytes: 2 * spanSize(span()) });
    expect([span(), span(), fakeSpan('small')].map((it) => queue.add(it))).toEqual([true, true, false]);
    expect(warnings).toEqual([
      expect.stringContaining(
        `A span is dropped: 6 MiB of spans already wait for their export to ${queue.outcomes.destination}.`,
      ),
    ]);
    const batch = queue.take(1, Infinity);
    // Its export has not ended, so its bytes are still in use.
    expect(queue.add(fakeSpan('small'))).toBe(false);
    queue.settle(batch, [{ count: 1, error: new Error('no') }]);
    expect([span(), fakeSpan('small')].map((it) => queue.add(it))).toEqual([true, false]);
    expect(queue.outcomes.dropped).toBe(3);
  });

  it('subtracts the bytes that it has added, although the exporter changes a span', () => {
    const span = fakeSpan('a', { attributes: { text: 'x'.repeat(1000) } });
    const queue = queueOf({ maxBytes: spanSize(span) }, span);
    const batch = queue.take(1, Infinity);
    span.attributes['more'] = 'x'.repeat(10_000);
    queue.settle(batch, []);
    expect(queue.add(fakeSpan('b', { attributes: { text: 'x'.repeat(1000) } }))).toBe(true);
    expect(queue.add(fakeSpan('c'))).toBe(false);
  });

  it('hands out as many spans as the bytes of a batch allow', () => {
    const size = spanSize(fakeSpan('a'));
    const queue = queueOf({}, ...spansOf('a', 'b', 'c', 'd', 'e'));
    expect(queue.take(10, 2 * size)).toMatchObject({ bytes: 2 * size, spans: [{ name: 'a' }, { name: 'b' }] });
    expect(namesOf(queue.take(10, 3 * size - 1))).toEqual(['c', 'd']);
    expect(namesOf(queue.take(10, 2 * size))).toEqual(['e']);
  });

  it('hands out a span that is larger than a batch alone', () => {
    const large = fakeSpan('large', { attributes: { text: 'x'.repeat(10_000) } });
    const queue = queueOf({}, fakeSpan('a'), large, ...spansOf('b', 'c'));
    const batches = [1, 2, 3].map(() => namesOf(queue.take(10, 1000)));
    expect(batches).toEqual([['a'], ['large'], ['b', 'c']]);
  });

  it('takes a span of the application that cannot be read', () => {
    const span = Object.defineProperty(fakeSpan('a'), 'attributes', {
      get() {
        throw new Error('do not touch');
      },
    });
    const queue = queueOf({ maxBytes: 1000 }, fakeSpan('b'), span);
    const batch = queue.take(10, Infinity);
    expect(namesOf(batch)).toEqual(['b', 'a']);
    queue.settle(batch, []);
    expect(queue.outcomes).toMatchObject({ exported: 2, dropped: 0 });
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('loses no span and keeps its limits in any order of calls (seed %i)', (seed) => {
    const random = randomNumbers(seed);
    const below = (limit: number) => Math.floor(random() * limit);
    const limits = { maxSpans: 1 + below(40), maxBytes: 5000 + below(50_000) };
    const queue = queueOf(limits);
    const waiting: ReadableSpan[] = [];
    const underWay: Batch<ReadableSpan>[] = [];
    const expected = { added: 0, dropped: 0, exported: 0, failed: 0 };
    const bytesOf = (spans: readonly ReadableSpan[]) => spans.reduce((bytes, span) => bytes + spanSize(span), 0);

    const add = () => {
      const span = fakeSpan(`span ${expected.added++}`, { attributes: { text: 'x'.repeat(below(1000)) } });
      const bytes = bytesOf([span, ...waiting, ...underWay.flatMap(({ spans }) => spans)]);
      const hasRoom = waiting.length < limits.maxSpans && bytes <= limits.maxBytes;
      expect(queue.add(span)).toBe(hasRoom);
      if (hasRoom) waiting.push(span);
      else expected.dropped++;
    };
    const take = () => {
      const [maxSpans, maxBytes] = [1 + below(10), below(10_000)];
      const batch = queue.take(maxSpans, maxBytes);
      const taken = waiting.splice(0, batch.spans.length);
      expect(namesOf(batch)).toEqual(taken.map(({ name }) => name));
      expect(batch.bytes).toBe(bytesOf(taken));
      expect(taken.length).toBeLessThanOrEqual(maxSpans);
      if (taken.length > 1) expect(batch.bytes).toBeLessThanOrEqual(maxBytes);
      const [next] = waiting;
      if (taken.length === 0) expect(next).toBeUndefined();
      // It would be a waste to leave a span that has room in the batch.
      else if (next && taken.length < maxSpans) expect(batch.bytes + spanSize(next)).toBeGreaterThan(maxBytes);
      underWay.push(batch);
    };
    const settle = () => {
      const [batch] = underWay.splice(below(underWay.length), 1);
      if (!batch) return;
      const failures: Failure[] = [];
      let left = batch.spans.length;
      while (left > 0 && random() < 0.4) {
        const count = 1 + below(left);
        failures.push({ count, error: new Error('no') });
        expected.failed += count;
        left -= count;
      }
      expected.exported += left;
      queue.settle(batch, failures);
    };

    for (let step = 0; step < 500; step++) {
      const chance = random();
      if (chance < 0.7) add();
      else if (chance < 0.85) take();
      else settle();
      const { acceptedTotal, outcomes, takenTotal } = queue;
      const { dropped, exported, failed } = outcomes;
      expect({ dropped, exported, failed, waiting: queue.waiting }).toEqual({
        dropped: expected.dropped,
        exported: expected.exported,
        failed: expected.failed,
        waiting: waiting.length,
      });
      expect(dropped + queue.waiting + queue.underWay + exported + failed).toBe(expected.added);
      expect(acceptedTotal).toBe(expected.added - dropped);
      expect(takenTotal).toBe(acceptedTotal - queue.waiting);
    }
    expect(Math.min(expected.dropped, expected.exported, expected.failed)).toBeGreaterThan(0);
  });

  it('holds few of the many thousands of spans that have left, and keeps the order', async () => {
    const COUNT = 20_000;
    const queue = queueOf({ maxSpans: COUNT });
    const references: WeakRef<ReadableSpan>[] = [];
    await heapGrowth(() => {
      for (let index = 0; index < COUNT; index++) {
        const span = fakeSpan(`span ${index}`);
        references.push(new WeakRef(span));
        queue.add(span);
      }
      for (let index = 0; index < COUNT - 1; index++) {
        const batch = queue.take(1, Infinity);
        if (batch.spans[0]?.name !== `span ${index}`) throw new Error(`span ${index} is not in its place`);
        queue.settle(batch, []);
      }
    });
    expect(references.filter((reference) => reference.deref()).length).toBeLessThanOrEqual(1024);
    expect(queue).toMatchObject({ waiting: 1, underWay: 0, outcomes: { exported: COUNT - 1 } });
    expect(namesOf(queue.take(10, Infinity))).toEqual([`span ${COUNT - 1}`]);
  });

  it('holds no span when all have left', async () => {
    const queue = queueOf({});
    const references: WeakRef<ReadableSpan>[] = [];
    await heapGrowth(() => {
      for (const span of spansOf('a', 'b', 'c')) {
        references.push(new WeakRef(span));
        queue.add(span);
      }
      queue.settle(queue.take(3, Infinity), []);
    });
    expect(references.filter((reference) => reference.deref())).toEqual([]);
  });
});
