const OPENMETRICS = 'application/openmetrics-text';
const TEXT = 'text/plain';

/**
 * True if a scraper that sends this `Accept` header (RFC 9110) prefers OpenMetrics to the older text format.
 *
 * Only type and weight count. Prometheus adds parameters such as `version` and `escaping` to the type, and a general
 * negotiation compares these too: it would then find no match, and the scraper would get no exemplars.
 */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  let openMetrics = 0;
  let text = 0;
  for (const entry of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase());
    const weight = parseWeight(parameters);
    if (type === OPENMETRICS) openMetrics = Math.max(openMetrics, weight);
    else if (type === TEXT) text = Math.max(text, weight);
  }
  return openMetrics > 0 && openMetrics >= text;
}

/** The weight (`q`) of a media type: 1 by default, and 0 if it is malformed. */
function parseWeight(parameters: readonly string[]): number {
  const parameter = parameters.find((candidate) => /^q\s*=/.test(candidate));
  if (parameter === undefined) return 1;
  const weight = Number(parameter.slice(parameter.indexOf('=') + 1));
  return weight >= 0 && weight <= 1 ? weight : 0;
}
