import { until } from './jaeger-query.js';

/** The length of the queried time range, in seconds. It is longer than any test. */
const LOOKBACK = 600;

export type Labels = Readonly<Record<string, string>>;

export interface Series {
  readonly labels: Labels;
  /** The values, oldest first. */
  readonly values: readonly number[];
}

export interface Exemplar {
  /** The labels of the series that the exemplar belongs to. */
  readonly series: Labels;
  readonly labels: Labels;
  readonly value: number;
  /** The time in seconds. */
  readonly timestamp: number;
}

/** Prometheus' HTTP API, with which Grafana works. */
export class PrometheusQuery {
  constructor(readonly url: string) {}

  async now(expr: string): Promise<Series[]> {
    type Sample = { metric: Labels; value: [number, string] };
    const { result } = await this.#get<{ result: Sample[] }>('query', { query: expr });
    return result.map(({ metric, value }) => ({ labels: metric, values: [Number(value[1])] }));
  }

  /** Evaluates an expression for each second. */
  async range(expr: string, seconds = 30): Promise<Series[]> {
    type Samples = { metric: Labels; values: [number, string][] };
    const [start, end] = span(seconds);
    const { result } = await this.#get<{ result: Samples[] }>('query_range', { query: expr, start, end, step: '1' });
    return result.map(({ metric, values }) => ({ labels: metric, values: values.map(([, value]) => Number(value)) }));
  }

  /** The sum of the present values of an expression. Zero if it has none. */
  async total(expr: string): Promise<number> {
    return (await this.now(expr)).reduce((sum, { values }) => sum + values[0]!, 0);
  }

  /** The exemplars of all series that an expression selects, as Grafana gets them. */
  async exemplars(expr: string): Promise<Exemplar[]> {
    type Found = { labels: Labels; value: string; timestamp: number };
    const [start, end] = span(LOOKBACK);
    const found = await this.#get<{ seriesLabels: Labels; exemplars: Found[] }[]>('query_exemplars', {
      query: expr,
      start,
      end,
    });
    return found.flatMap(({ seriesLabels, exemplars }) =>
      exemplars.map(({ labels, value, timestamp }) => ({
        series: seriesLabels,
        labels,
        value: Number(value),
        timestamp,
      })),
    );
  }

  /** The expression as Prometheus' own parser understands it. */
  format(expr: string): Promise<string> {
    return this.#get<string>('format_query', { query: expr });
  }

  labelValues(label: string, selector: string): Promise<string[]> {
    return this.#get<string[]>(`label/${label}/values`, { 'match[]': selector });
  }

  /** Resolves when this number of targets is up. */
  async scraping(targets: number): Promise<void> {
    const up = await until(
      () => this.total('up'),
      (count) => count >= targets,
    );
    if (up < targets) throw new Error(`Prometheus reaches ${up} of ${targets} targets: ${await this.#complaints()}`);
  }

  async #complaints(): Promise<string> {
    const { activeTargets } = await this.#get<{ activeTargets: { lastError: string }[] }>('targets', {});
    return activeTargets.map(({ lastError }) => lastError).join('; ');
  }

  async #get<T>(path: string, parameters: Record<string, string>): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const body = await response.text();
    if (!response.ok)
      throw new Error(`Prometheus answered ${response.status} to ${JSON.stringify(parameters)}: ${body}`);
    return (JSON.parse(body) as { data: T }).data;
  }
}

function span(seconds: number): [start: string, end: string] {
  const now = Date.now() / 1000;
  return [String(now - seconds), String(now)];
}
