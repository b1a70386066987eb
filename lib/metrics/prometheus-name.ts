/** What OpenTelemetry's units are called in Prometheus. Those in braces are only remarks. */
const UNITS: Readonly<Record<string, string>> = { s: 'seconds', ms: 'milliseconds', By: 'bytes', '1': 'ratio' };

/** The name of a metric as OpenTelemetry's rules for Prometheus make it: `http.server.request.duration` in seconds … */
export function prometheusName(name: string, unit: string, type: 'counter' | 'gauge' | 'histogram'): string {
  const base = prometheusLabel(name);
  const suffix = type === 'counter' && unit === '1' ? undefined : UNITS[unit];
  const measured = withSuffix(base, suffix);
  return type === 'counter' ? withSuffix(measured, 'total') : measured;
}

/** The name of a label: only letters, digits and underscores, no digit first. */
export function prometheusLabel(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]+/g, '_').replace(/^(?=\d)/, '_');
}

function withSuffix(name: string, suffix: string | undefined): string {
  return suffix === undefined || name.endsWith(`_${suffix}`) ? name : `${name}_${suffix}`;
}
