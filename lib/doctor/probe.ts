import { randomBytes } from 'node:crypto';
import { setDiagnosticsSink } from '../core/diagnostics.js';
import { publicAddress } from '../core/public-address.js';
import { VERSION } from '../core/version.js';
import { SUCCESS } from '../export/export-result.js';
import { createOtlpTransport } from '../export/otlp/otlp-transport.js';
import type { ResolvedOtlpExporter } from '../options/otlp-signal.js';
import { findNearestPackage } from '../options/package-info.js';
import { resolveOptions } from '../options/resolve-options.js';
import type { ReadableSpan } from '../options/sdk-types.js';
import { explainFailure } from './explain-failure.js';
import { error, ok, warning, type Finding } from './finding.js';

/** The name of the span that is sent. */
export const PROBE_SPAN = 'nestjs-tracing doctor';
/** Time in which the receiver has to answer, in milliseconds. */
const TIMEOUT = 5000;

/** What the probe needs to know of an application. */
export interface ProbedApplication {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** A file with the option `exporter`, which takes precedence over the variables and cannot be read. */
  readonly exporterIn: string | undefined;
}

/** Sends one span where the variables of an application, or the defaults, say that spans go. */
export async function probeExporters({ env, exporterIn, folder }: ProbedApplication): Promise<Finding[]> {
  const findings: Finding[] = [];
  setDiagnosticsSink({
    warn: (message) => findings.push(warning('variables', message, 'Correct or remove the variable.')),
  });
  try {
    const { enabled, exporters, resource } = resolveOptions({}, env, () => findNearestPackage(folder));
    if (!enabled)
      return [
        ...findings,
        warning('export', 'OTEL_SDK_DISABLED switches tracing off.', 'Remove the variable to trace.'),
      ];
    if (exporters.length === 0) {
      return [
        ...findings,
        warning(
          'export',
          'OTEL_TRACES_EXPORTER is none: no spans leave the process.',
          'Remove the variable to export.',
        ),
      ];
    }
    for (const exporter of exporters) {
      if (exporter.type === 'otlp') findings.push(await probe(exporter, resource, exporterIn));
      else findings.push(ok('export', `exporter ${exporter.type} is not probed`));
    }
    return findings;
  } finally {
    setDiagnosticsSink();
  }
}

async function probe(
  exporter: ResolvedOtlpExporter,
  attributes: ReadableSpan['attributes'],
  exporterIn: string | undefined,
): Promise<Finding> {
  const transport = createOtlpTransport({ ...exporter, timeout: TIMEOUT });
  const span = createSpan(attributes);
  const address = `${publicAddress(exporter.url)} (${exporter.protocol})`;
  const item = transport.prepare?.(span);
  if (!item) throw new Error('spans of OTLP have no encoding');
  transport.stopRetrying?.();
  const result = await new Promise<{ code: number; error?: Error }>((resolve) =>
    transport.exporter.export([item], resolve),
  );
  transport.close?.();
  if (result.code === SUCCESS && !result.error) {
    const service = String(attributes['service.name']);
    return ok(
      'export',
      `${address} has accepted a span: "${PROBE_SPAN}" of ${service}, trace ${span.spanContext().traceId}`,
    );
  }
  const reason = result.error?.message ?? 'no reason';
  const message = `${address} has not accepted a span: ${reason}.`;
  const fix = explainFailure(exporter, result.error, transport.hintFor?.(result.error));
  if (exporterIn === undefined) return error('export', message, fix);
  return warning('export', message, `${exporterIn} has an option exporter, which is not read. Without it: ${fix}`);
}

/** A span of the application that begins and ends now. */
function createSpan(attributes: ReadableSpan['attributes']): ReadableSpan {
  const now = Date.now();
  const time: [number, number] = [Math.floor(now / 1000), (now % 1000) * 1_000_000];
  const context = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex'), traceFlags: 1 };
  const span = {
    name: PROBE_SPAN,
    kind: 0,
    spanContext: () => context,
    startTime: time,
    endTime: time,
    duration: [0, 0],
    ended: true,
    status: { code: 0 },
    attributes: {},
    events: [],
    links: [],
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    resource: { attributes },
    instrumentationScope: { name: 'nestjs-tracing', version: VERSION },
  };
  return span as unknown as ReadableSpan;
}
