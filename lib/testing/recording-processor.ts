import type { ReadableSpan, SpanProcessor } from '../options/sdk-types.js';
import type { SpanStore } from './span-store.js';

/** The stores of the applications that are up, the newest last. */
const stores: SpanStore[] = [];
/** The store that has seen a span start. It also gets its end, whichever application is the newest then. */
const storeOfSpan = new WeakMap<object, SpanStore>();

/** Sends the spans of the process to a store, until `stopRecording()` is called for it. */
export function startRecording(store: SpanStore): void {
  stores.push(store);
}

export function stopRecording(store: SpanStore): void {
  const index = stores.lastIndexOf(store);
  if (index !== -1) stores.splice(index, 1);
}

/**
 * The span processor of all applications under test. OpenTelemetry has one tracer provider per process, that of the first application: if a
 * test has not closed that one, the spans of the next one arrive here all the same.
 */
export const recordingProcessor: SpanProcessor = {
  onStart(span) {
    const store = stores.at(-1);
    if (!store) return;
    storeOfSpan.set(span, store);
    store.start(span);
  },
  onEnd(span: ReadableSpan) {
    (storeOfSpan.get(span) ?? stores.at(-1))?.end(span);
  },
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};
