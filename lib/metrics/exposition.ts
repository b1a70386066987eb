import { prefersOpenMetrics } from './accept.js';
import type { Exemplar, MetricData, MetricValue, Registry } from './prom-client.js';

export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/**
 * What a registry holds, as text in the format that the scraper asks for.
 *
 * prom-client's own rendering has one format for each registry, leaves the `_total` of counters out of the older format once
 * it has rendered the newer one, and does not know exemplars of the older one's registries.
 */
export async function expose(registry: Registry, accept: string | undefined): Promise<Exposition> {
  const metrics = (await registry.getMetricsAsJSON()) as readonly MetricData[];
  return prefersOpenMetrics(accept) ? openMetrics(metrics) : prometheusText(metrics, registry);
}

function openMetrics(metrics: readonly MetricData[]): Exposition {
  const families = metrics.map(({ help, name, type, values = [] }) => {
    // Here a family has the name of its samples without the suffix.
    const family = type === 'counter' ? name.replace(/_total$/, '') : name;
    const lines = [`# HELP ${family} ${escaped(help, true)}\n`, `# TYPE ${family} ${type}\n`];
    for (const value of values) {
      const sample = value.metricName ?? (type === 'counter' ? `${family}_total` : name);
      lines.push(`${sample}${labelsOf(value, canonical)} ${number(value.value)}${exemplarOf(value)}\n`);
    }
    return lines.join('');
  });
  return {
    contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    body: `${families.join('')}# EOF\n`,
  };
}

function prometheusText(metrics: readonly MetricData[], registry: Registry): Exposition {
  const families = metrics.map(({ help, name, type, values = [] }) => {
    // prom-client forgets the suffix of a counter that it has rendered as OpenMetrics elsewhere, but not its place.
    const family = type === 'counter' && registry.getSingleMetric(`${name}_total`) ? `${name}_total` : name;
    const lines = [`# HELP ${family} ${escaped(help, false)}\n`, `# TYPE ${family} ${type}\n`];
    for (const value of values) {
      lines.push(`${value.metricName ?? family}${labelsOf(value, String)} ${number(value.value)}\n`);
    }
    return lines.join('');
  });
  return { contentType: 'text/plain; version=0.0.4; charset=utf-8', body: families.join('') };
}

function labelsOf({ labels = {} }: MetricValue, bound: (le: string | number) => string): string {
  return labelSet(
    Object.entries(labels).map(([name, value]) => [name, name === 'le' || name === 'quantile' ? bound(value) : value]),
  );
}

function exemplarOf({ exemplar }: MetricValue): string {
  if (!exemplar) return '';
  const { labelSet: labels, timestamp, value }: Exemplar = exemplar;
  const time = timestamp === undefined ? '' : ` ${timestamp.toFixed(3)}`;
  return ` # ${labelSet(Object.entries(labels)) || '{}'} ${number(value)}${time}`;
}

function labelSet(labels: readonly (readonly [name: string, value: unknown])[]): string {
  const pairs = labels.filter(([, value]) => value !== undefined && value !== null);
  if (pairs.length === 0) return '';
  return `{${pairs.map(([name, value]) => `${name}="${escaped(String(value), true)}"`).join(',')}}`;
}

/** OpenMetrics wants the bounds of buckets to be told from whole numbers. */
function canonical(bound: string | number): string {
  return /^-?\d+$/.test(String(bound)) ? `${bound}.0` : String(bound);
}

function escaped(text: string, quotes: boolean): string {
  const lines = text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return quotes ? lines.replace(/"/g, '\\"') : lines;
}

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
