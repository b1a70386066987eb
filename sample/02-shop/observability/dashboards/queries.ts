/** Selects the services that the user has chosen in the dashboard. */
const JOBS = 'job=~"$job"';

/** The rate per second, by these labels. */
export function rate(metric: string, by: string, filter = ''): string {
  return `sum by (${by}) (rate(${metric}{${selector(filter)}}[$__rate_interval]))`;
}

/** The rate of failures. It is zero, and not empty, if there are none. */
export function failureRate(metric: string, by: string, failed = 'error_type!=""'): string {
  return `${rate(metric, by, failed)} or 0 * ${rate(metric, by)}`;
}

/** The share of failures. */
export function failedShare(metric: string, by: string): string {
  return `(${failureRate(metric, by)}) / ${rate(metric, by)}`;
}

/** The quantile of a histogram, in seconds. */
export function quantile(share: number, histogram: string): string {
  return `histogram_quantile(${share}, ${rate(`${histogram}_bucket`, 'le')})`;
}

/** The slowest kinds of requests in the time range of the dashboard. */
export function slowest(histogram: string, by: string, filter: string): string {
  const buckets = `sum by (${by}, le) (rate(${histogram}_bucket{${selector(filter)}}[$__range]))`;
  return `sort_desc(topk(10, histogram_quantile(0.95, ${buckets})))`;
}

/** The sum of a gauge, by these labels. */
export function sum(gauge: string, by: string): string {
  return `sum by (${by}) (${gauge}{${JOBS}})`;
}

/** A gauge of each instance of the services. */
export function each(gauge: string, filter = ''): string {
  return `${gauge}{${selector(filter)}}`;
}

function selector(filter: string): string {
  return filter ? `${JOBS}, ${filter}` : JOBS;
}
