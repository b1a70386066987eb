/** The services that were chosen above the dashboard. */
const JOBS = 'job=~"$job"';

/** How often something happens in a second, by these labels. */
export function rate(metric: string, by: string, filter = ''): string {
  return `sum by (${by}) (rate(${metric}{${selector(filter)}}[$__rate_interval]))`;
}

/** The same of what has failed: zero, not nothing, where none has. */
export function failureRate(metric: string, by: string, failed = 'error_type!=""'): string {
  return `${rate(metric, by, failed)} or 0 * ${rate(metric, by)}`;
}

/** Which share has failed. */
export function failedShare(metric: string, by: string): string {
  return `(${failureRate(metric, by)}) / ${rate(metric, by)}`;
}

/** In seconds: this share of a histogram's observations is below. */
export function quantile(share: number, histogram: string): string {
  return `histogram_quantile(${share}, ${rate(`${histogram}_bucket`, 'le')})`;
}

/** The kinds of requests that were slowest in the time that the dashboard shows. */
export function slowest(histogram: string, by: string, filter: string): string {
  const buckets = `sum by (${by}, le) (rate(${histogram}_bucket{${selector(filter)}}[$__range]))`;
  return `sort_desc(topk(10, histogram_quantile(0.95, ${buckets})))`;
}

/** The sum of a gauge, by these labels. */
export function sum(gauge: string, by: string): string {
  return `sum by (${by}) (${gauge}{${JOBS}})`;
}

/** A gauge as it is, of each instance of the services. */
export function each(gauge: string, filter = ''): string {
  return `${gauge}{${selector(filter)}}`;
}

function selector(filter: string): string {
  return filter ? `${JOBS}, ${filter}` : JOBS;
}
