/** The Prometheus names of OpenTelemetry's units. Units in braces, such as `{request}`, are annotations and have none. */
const UNITS: Readonly<Record<string, string>> = { s: 'seconds', ms: 'milliseconds', By: 'bytes', '1': 'ratio' };

/**
 * The Prometheus name of a metric by OpenTelemetry's rules: `http.server.request.duration` in `s` becomes
 * `http_server_request_duration_seconds`.
 */
export function prometheusName(name: string, unit: string, type: 'counter' | 'gauge' | 'histogram'): string {
  const base = prometheusLabel(name);
  const suffix = type === 'counter' && unit === '1' ? undefined : UNITS[unit];
  const nameWithUnit = withSuffix(base, suffix);
  return type === 'counter' ? withSuffix(nameWithUnit, 'total') : nameWithUnit;
}

/** The Prometheus name of an attribute: it has only letters, digits and underscores, and does not begin with a digit. */
export function prometheusLabel(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]+/g, '_').replace(/^(?=\d)/, '_');
}

function withSuffix(name: string, suffix: string | undefined): string {
  return suffix === undefined || name.endsWith(`_${suffix}`) ? name : `${name}_${suffix}`;
}
