import { expect } from '@jest/globals';
import type { DataApp } from './data-app.js';

/**
 * Runs the same work in several requests at once, each with the queries of its number, `SELECT mine_1` and so on. Each span has to be
 * below the request of its number.
 *
 * @param count the number of queries of each request
 */
export async function expectOwnSpans(
  { run, traces }: DataApp,
  work: (id: number) => Promise<unknown>,
  count: number,
): Promise<void> {
  const ids = [1, 2, 3, 4];
  await Promise.all(ids.map((id) => run(() => work(id))));
  await traces.until((spans) => spans.length >= ids.length * (2 + count));
  const spans = traces.take();
  const found = spans
    .filter(({ name }) => name === 'WorkController.work')
    .map((handler) => {
      const below = spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === handler.spanContext().spanId);
      return below.map(({ name }) => name).join();
    });
  const expected = ids.map((id) => Array.from({ length: count }, () => `SELECT mine_${id}`).join());
  expect(found.toSorted()).toEqual(expected);
}
