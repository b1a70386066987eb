import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';
import { destinationOf } from '../export/exporters/destination.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { ResolvedSampler } from '../options/sampler.js';

const GROUPS = {
  http: 'HTTP',
  grpc: 'gRPC',
  messaging: 'messages',
  data: 'databases',
  jobs: 'jobs',
  websockets: 'WebSockets',
  graphql: 'GraphQL',
  events: 'events',
} as const satisfies Partial<Record<keyof ResolvedOptions, string>>;

/** Returns one line about an application that starts: what is traced, how much of it, and where the spans go. */
export function startLine(options: ResolvedOptions, hasForeignProvider: boolean): string {
  const groups = (Object.keys(GROUPS) as (keyof typeof GROUPS)[]).filter((group) => options[group] !== undefined);
  const traced = groups.map((group) => GROUPS[group]).join(', ') || 'the spans';
  const service = JSON.stringify(options.resource[ATTR_SERVICE_NAME] ?? '');
  const target = hasForeignProvider
    ? `the tracer provider that is registered already decides where the spans go`
    : exported(options);
  return `Tracing ${traced} of ${service}: ${target}.${metricsPlace(options)}`;
}

function exported(options: ResolvedOptions): string {
  if (options.exporters.length === 0) return 'nothing is exported';
  return `${sampledTraces(options.sampler)} go to ${destinations(options)}`;
}

function sampledTraces(sampler: ResolvedSampler): string {
  if (sampler.type === 'custom') return 'the traces that your sampler keeps';
  if (!('ratio' in sampler)) return `the traces that the Jaeger at ${new URL(sampler.endpoint).origin} samples`;
  const share = shareOf(sampler.ratio);
  const isNew = sampler.type.startsWith('parentbased') && sampler.ratio !== 1 ? ' new' : '';
  return `${share}${isNew} traces${kept(sampler.keep)}`;
}

function shareOf(ratio: number): string {
  if (ratio === 0) return 'no';
  return ratio === 1 ? 'all' : `${Number((ratio * 100).toPrecision(6))} % of the`;
}

function kept(keep: { readonly errors: boolean; readonly slowerThan: number } | undefined): string {
  if (!keep) return '';
  const kinds = [
    ...(keep.errors ? ['failed ones'] : []),
    ...(Number.isFinite(keep.slowerThan) ? [`those slower than ${keep.slowerThan} ms`] : []),
  ];
  return ` and ${kinds.join(' and ')}`;
}

function destinations({ exporters }: ResolvedOptions): string {
  const names = exporters.map((exporter) => {
    const protocol = exporter.type === 'otlp' ? ` (OTLP, ${exporter.protocol})` : '';
    return `${destinationOf(exporter)}${protocol}`;
  });
  return names.join(' and ');
}

function metricsPlace({ metrics }: ResolvedOptions): string {
  if (metrics?.type !== 'prometheus' || !metrics.place) return '';
  const { path, port } = metrics.place;
  return ` Metrics are at ${port === undefined ? path : `port ${port}, ${path}`}.`;
}
