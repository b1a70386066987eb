import { afterEach, beforeEach } from '@jest/globals';
import type { TracerProvider } from '@opentelemetry/api';
import { setDiagnosticsSink } from '../../../../lib/core/diagnostics.js';
import { resolveOptions } from '../../../../lib/options/resolve-options.js';
import { createExportPaths, statisticsOf } from '../../../../lib/export/exporters/exporters.js';
import { loadFromSdk } from '../../../../lib/sdk/packages.js';
import { createResource } from '../../../../lib/sdk/resource.js';
import type { TracingOptions } from '../../../../lib/tracing.options.js';
import type { Receiver } from './receivers.js';

interface Provider extends TracerProvider {
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

interface TracePackage {
  TracerProvider: new (config: object) => Provider;
}

export type StartedProvider = ReturnType<typeof startProvider>;

export interface StartedProviders {
  /** The warnings of the test. */
  readonly warnings: string[];
  /** Starts a provider of the SDK with the processors that the options require. */
  start(exporter: TracingOptions['exporter'], options?: TracingOptions, env?: Record<string, string>): StartedProvider;
  /** Waits for a receiver, which is closed after the test. */
  open(receiver: Promise<Receiver>): Promise<Receiver>;
}

/** Starts providers in the tests of a file, and shuts them down after each test. */
export function startedProviders(): StartedProviders {
  const warnings: string[] = [];
  let cleanup: (() => unknown)[];
  beforeEach(() => {
    warnings.length = 0;
    cleanup = [];
    setDiagnosticsSink({ warn: (message) => warnings.push(message) });
  });
  afterEach(async () => {
    for (const undo of cleanup.toReversed()) await undo();
    setDiagnosticsSink();
  });
  return {
    warnings,
    start(...args) {
      const started = startProvider(...args);
      cleanup.push(() => started.provider.shutdown());
      return started;
    },
    async open(receiver) {
      const opened = await receiver;
      cleanup.push(() => opened.close());
      return opened;
    },
  };
}

function startProvider(
  exporter: TracingOptions['exporter'],
  options: TracingOptions = {},
  env: Record<string, string> = {},
) {
  const resolved = resolveOptions({ serviceName: 'orders', ...options, exporter }, env);
  const { memory, paths } = createExportPaths(resolved);
  const processors = paths.map(({ processor }) => processor);
  const statistics = () => paths.flatMap((path) => statisticsOf(path) ?? []);
  const sdk = loadFromSdk<TracePackage>('@opentelemetry/sdk-trace');
  const provider = new sdk.TracerProvider({ spanProcessors: processors, resource: createResource(resolved.resource) });
  const tracer = provider.getTracer('test', '1');
  const span = (name: string) => tracer.startSpan(name).end();
  return { provider, span, memory, processors, statistics };
}

/** Waits until a condition is true. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** Returns the milliseconds that a promise takes to settle. */
export async function timed(work: Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work;
  return performance.now() - started;
}
