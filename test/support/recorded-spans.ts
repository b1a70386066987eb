import { afterEach, beforeEach } from '@jest/globals';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
  type TracerProviderOptions,
} from '@opentelemetry/sdk-trace';
import { setDiagnosticsSink } from '../../lib/core/diagnostics.js';
import { registerContextManager, registerProvider, unregisterProvider } from '../../lib/sdk/globals.js';

/** The spans that a stock tracer provider has exported in the current test. */
export interface RecordedSpans {
  /** The spans in the order in which they ended. */
  all(): ReadableSpan[];
  names(): string[];
  /** The only span with this name. Fails if there is none or more than one. */
  one(name: string): ReadableSpan;
  /** `child < parent < grandparent`, by name, up to the first parent that was not exported. */
  path(span: ReadableSpan): string;
  /** The library's own warnings. */
  readonly diagnostics: string[];
}

/** Registers a stock tracer provider and our context manager around each test of a file. */
export function recordSpans(options: TracerProviderOptions = {}): RecordedSpans {
  const exporter = new InMemorySpanExporter();
  const diagnostics: string[] = [];
  let unregisterContextManager: () => void;

  beforeEach(() => {
    exporter.reset();
    diagnostics.length = 0;
    registerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })], ...options }));
    unregisterContextManager = registerContextManager();
    setDiagnosticsSink({ warn: (message) => diagnostics.push(message) });
  });

  afterEach(() => {
    setDiagnosticsSink();
    unregisterContextManager();
    unregisterProvider();
  });

  const all = () => exporter.getFinishedSpans();
  return {
    all,
    names: () => all().map((span) => span.name),
    one(name) {
      const found = all().filter((span) => span.name === name);
      if (found.length === 1) return found[0]!;
      throw new Error(
        `${found.length} spans are named "${name}"; there are: ${all()
          .map((span) => span.name)
          .join(', ')}`,
      );
    },
    path(span) {
      const names: string[] = [];
      for (let it: ReadableSpan | undefined = span; it; it = parentOf(it, all())) names.push(it.name);
      return names.join(' < ');
    },
    diagnostics,
  };
}

/** The names, types and messages of a span's `exception` events. */
export function exceptionsOf(span: ReadableSpan): [type: unknown, message: unknown][] {
  return span.events
    .filter((event) => event.name === 'exception')
    .map(({ attributes }) => [attributes?.['exception.type'], attributes?.['exception.message']]);
}

function parentOf(span: ReadableSpan, all: readonly ReadableSpan[]): ReadableSpan | undefined {
  return all.find((it) => it.spanContext().spanId === span.parentSpanContext?.spanId);
}
