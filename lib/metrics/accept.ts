const OPENMETRICS = 'application/openmetrics-text';
const TEXT = 'text/plain';

/** Whether a scraper that sends this `Accept` header (RFC 9110) wants OpenMetrics rather than the older text format. */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  let openMetrics = 0;
  let text = 0;
  for (const entry of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase());
    const weight = weightOf(parameters);
    if (type === OPENMETRICS) openMetrics = Math.max(openMetrics, weight);
    else if (type === TEXT) text = Math.max(text, weight);
  }
  return openMetrics > 0 && openMetrics >= text;
}

function weightOf(parameters: readonly string[]): number {
  const written = parameters.find((parameter) => /^q\s*=/.test(parameter));
  if (written === undefined) return 1;
  const weight = Number(written.slice(written.indexOf('=') + 1));
  return weight >= 0 && weight <= 1 ? weight : 0;
}
