import { resolveOptions } from '../../../../lib/options/resolve-options.js';
import { createExportPaths, exportSettings } from '../../../../lib/export/exporters/exporters.js';
import { FixedResource } from '../../../../lib/sdk/fixed-resource.js';
import { LogPipeline } from '../../../../lib/sdk/log-pipeline.js';
import type { TracingOptions } from '../../../../lib/tracing.options.js';
import { fakeSpan } from '../../sdk/fake-span.js';
import type { Way, Wire, World } from './world.js';

/** The part of a queue that counts what becomes of spans or log records. */
interface Counted {
  readonly waiting: number;
  readonly underWay: number;
  readonly outcomes: { readonly exported: number; readonly failed: number; readonly dropped: number };
}

/** The way of spans or log records to a backend. */
export interface StartedPath {
  readonly queue: Counted;
  /** Lets a span end, or writes a log record. */
  add(): void;
  shutdown(): Promise<void>;
}

export interface PathKind {
  readonly wire: Wire;
  /** The ways on which it can reach a backend. */
  readonly ways: readonly Way[];
  start(world: World, env: Record<string, string>): StartedPath;
}

const ALL_WAYS: readonly Way[] = ['direct', 'name', 'tls', 'proxy', 'tls proxy'];

const SETTINGS: TracingOptions = {
  serviceName: 'orders',
  batch: { maxQueueSize: 40, maxExportBatchSize: 4, scheduledDelay: 200 },
  shutdown: { timeout: 2000 },
};

function spans(exporter: (url: string) => TracingOptions['exporter']): PathKind['start'] {
  return ({ url }, env) => {
    const { paths } = createExportPaths(resolveOptions({ ...SETTINGS, exporter: exporter(url) }, env));
    const [{ processor }] = paths as [(typeof paths)[number]];
    return {
      queue: processor.queue as unknown as Counted,
      add: () => processor.onEnd(fakeSpan('span')),
      shutdown: () => processor.shutdown(),
    };
  };
}

function logs(protocol: 'http/protobuf' | 'http/json' | 'grpc'): PathKind['start'] {
  return ({ url: endpoint }, env) => {
    const options = resolveOptions({ ...SETTINGS, exporter: 'none', logs: { export: { endpoint, protocol } } }, env);
    const exporter = options.logs!.export!;
    const resource = new FixedResource({ 'service.name': 'orders' });
    const pipeline = new LogPipeline(options.logs!, exporter, resource, exportSettings(options));
    return {
      queue: pipeline.queue,
      add: () =>
        pipeline.emit({
          severityNumber: 9,
          severityText: 'log',
          body: 'line',
          attributes: { 'nestjs.logger.context': 'Orders' },
        }),
      shutdown: () => pipeline.shutdown(),
    };
  };
}

const otlp = (protocol: 'http/protobuf' | 'http/json' | 'grpc') =>
  spans((endpoint) => ({ type: 'otlp', protocol, endpoint }));

/** What leaves, by its name and protocol. */
export const PATHS = {
  'spans by http/protobuf': { wire: 'http', ways: ALL_WAYS, start: otlp('http/protobuf') },
  'spans by http/json': { wire: 'http', ways: ['direct'], start: otlp('http/json') },
  'spans by grpc': { wire: 'grpc', ways: ALL_WAYS, start: otlp('grpc') },
  // It takes neither a proxy nor certificates.
  'spans for a collector of Jaeger': {
    wire: 'http',
    ways: ['direct', 'name'],
    start: spans((endpoint) => ({ type: 'jaeger', endpoint })),
  },
  'log records by http/protobuf': { wire: 'http', ways: ALL_WAYS, start: logs('http/protobuf') },
  'log records by http/json': { wire: 'http', ways: ['direct'], start: logs('http/json') },
  'log records by grpc': { wire: 'grpc', ways: ALL_WAYS, start: logs('grpc') },
} satisfies Record<string, PathKind>;
