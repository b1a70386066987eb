import { prefersOpenMetrics } from './accept.js';
import type { Exemplar, MetricData, MetricValue, Registry } from './prom-client.js';

/** The metrics of a registry as a scraper reads them. */
export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/** The differences between the two text formats of Prometheus. */
interface Format {
  readonly contentType: string;
  /** The last line of the text, if the format requires one. */
  readonly end: string;
  /** True if quotes are escaped in help texts. Quotes in label values always are. */
  readonly escapesQuotesInHelp: boolean;
  readonly hasExemplars: boolean;
  /** The name of a metric in its HELP and TYPE lines. */
  familyName(metric: MetricData, registry: Registry): string;
  /** The name of a value that has none of its own. */
  sampleName(family: string, type: string): string;
  /** The bound of a bucket, or a quantile. */
  renderBound(bound: string | number): string;
}

const OPENMETRICS: Format = {
  contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  end: '# EOF\n',
  escapesQuotesInHelp: true,
  hasExemplars: true,
  familyName: ({ name, type }) => (type === 'counter' ? name.replace(/_total$/, '') : name),
  sampleName: (family, type) => (type === 'counter' ? `${family}_total` : family),
  // Bounds are floating-point numbers here, and written as such.
  renderBound: (bound) => (/^-?\d+$/.test(String(bound)) ? `${bound}.0` : String(bound)),
};

const PROMETHEUS_TEXT: Format = {
  contentType: 'text/plain; version=0.0.4; charset=utf-8',
  end: '',
  escapesQuotesInHelp: false,
  hasExemplars: false,
  // When prom-client renders a counter as OpenMetrics, it removes the suffix from the counter's name for good. The
  // registry still has the counter under its full name.
  familyName: ({ name, type }, registry) =>
    type === 'counter' && registry.getSingleMetric(`${name}_total`) ? `${name}_total` : name,
  sampleName: (family) => family,
  renderBound: String,
};

/**
 * Renders the metrics of a registry in the text format that the scraper asks for.
 *
 * prom-client's own rendering is not used: it has one format per registry, omits the `_total` of counters from the older
 * format once it has rendered the newer one, and refuses exemplars in a registry of the older format.
 */
export async function expose(registry: Registry, accept: string | undefined): Promise<Exposition> {
  const metrics = (await registry.getMetricsAsJSON()) as readonly MetricData[];
  const format = prefersOpenMetrics(accept) ? OPENMETRICS : PROMETHEUS_TEXT;
  const families = metrics.map((metric) => renderFamily(metric, registry, format));
  return { contentType: format.contentType, body: `${families.join('')}${format.end}` };
}

/** Renders a metric with all its series. */
function renderFamily(metric: MetricData, registry: Registry, format: Format): string {
  const { help, type, values = [] } = metric;
  const family = format.familyName(metric, registry);
  const sampleName = format.sampleName(family, type);
  const lines = [`# HELP ${family} ${escapeText(help, format.escapesQuotesInHelp)}\n`, `# TYPE ${family} ${type}\n`];
  for (const value of values) {
    const exemplar = format.hasExemplars ? renderExemplar(value) : '';
    lines.push(
      `${value.metricName ?? sampleName}${renderLabels(value, format)} ${renderNumber(value.value)}${exemplar}\n`,
    );
  }
  return lines.join('');
}

function renderLabels({ labels = {} }: MetricValue, { renderBound }: Format): string {
  return renderLabelSet(
    Object.entries(labels).map(([name, value]) => [
      name,
      name === 'le' || name === 'quantile' ? renderBound(value) : value,
    ]),
  );
}

function renderExemplar({ exemplar }: MetricValue): string {
  if (!exemplar) return '';
  const { labelSet, timestamp, value }: Exemplar = exemplar;
  const time = timestamp === undefined ? '' : ` ${timestamp.toFixed(3)}`;
  return ` # ${renderLabelSet(Object.entries(labelSet)) || '{}'} ${renderNumber(value)}${time}`;
}

/** Returns an empty text if no label has a value. */
function renderLabelSet(labels: readonly (readonly [name: string, value: unknown])[]): string {
  const pairs = labels.filter(([, value]) => value !== undefined && value !== null);
  if (pairs.length === 0) return '';
  return `{${pairs.map(([name, value]) => `${name}="${escapeText(String(value), true)}"`).join(',')}}`;
}

function escapeText(text: string, escapesQuotes: boolean): string {
  const escaped = text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return escapesQuotes ? escaped.replace(/"/g, '\\"') : escaped;
}

function renderNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
