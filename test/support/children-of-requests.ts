import type { DataApp } from './data-app.js';

/**
 * Runs a piece of work in a request of its own for each name, all at once. Returns the names of the spans below the handler of each request,
 * joined and sorted.
 *
 * @param count the number of these spans, of all requests
 */
export async function childrenOfRequests(
  { run, traces }: DataApp,
  names: readonly string[],
  work: (name: string) => Promise<unknown>,
  count: number,
): Promise<string[]> {
  // The first requests of an application arrive one by one: each starts its work when all of them are there.
  let open = () => {};
  const allArrived = new Promise<void>((resolve) => (open = resolve));
  let arrived = 0;
  await Promise.all(
    names.map((name) =>
      run(async () => {
        if (++arrived === names.length) open();
        await allArrived;
        await work(name);
      }),
    ),
  );
  await traces.until((spans) => spans.length >= names.length * 2 + count);
  const spans = traces.take();
  return spans
    .filter(({ name }) => name === 'WorkController.work')
    .map((handler) =>
      spans
        .filter(({ parentSpanContext }) => parentSpanContext?.spanId === handler.spanContext().spanId)
        .map(({ name }) => name)
        .join(),
    )
    .toSorted();
}
