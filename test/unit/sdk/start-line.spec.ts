import { expect, it } from '@jest/globals';
import { resolveOptions } from '../../../lib/options/resolve-options.js';
import { startLine } from '../../../lib/sdk/start-line.js';
import type { TracingOptions } from '../../../lib/tracing.options.js';

class MyExporter {
  export() {}
  shutdown() {}
}

const lineFor = (options: TracingOptions, isForeign = false) =>
  startLine(
    resolveOptions({ serviceName: 'shop', ...options }, {}, () => undefined),
    isForeign,
  );

const OTLP = 'http://localhost:4318/v1/traces (OTLP, http/protobuf)';

it.each<[TracingOptions, string]>([
  [{}, `all traces go to ${OTLP}.`],
  [{ sampler: { ratio: 0.1 } }, `10 % of the new traces go to ${OTLP}.`],
  [{ sampler: { ratio: 0.001, parentBased: false } }, `0.1 % of the traces go to ${OTLP}.`],
  [{ sampler: { ratio: 0 } }, `no new traces go to ${OTLP}.`],
  [{ sampler: 'always_off' }, `no traces go to ${OTLP}.`],
  [
    { sampler: { ratio: 0.01, keep: { errors: true, slowerThan: 500 } } },
    `1 % of the new traces and failed ones and those slower than 500 ms go to ${OTLP}.`,
  ],
  [{ sampler: { type: 'jaeger_remote' } }, 'the traces that the Jaeger at http://localhost:5778 samples go'],
  [{ exporter: 'none' }, 'of "shop": nothing is exported.'],
  [{ exporter: ['console', 'memory'] }, 'all traces go to the console and the memory.'],
  [
    { exporter: { type: 'otlp', protocol: 'grpc', endpoint: 'https://me:secret@tempo:4317/?key=secret' } },
    'all traces go to https://tempo:4317 (OTLP, grpc).',
  ],
  [{ exporter: { type: 'jaeger', host: 'agent' } }, 'all traces go to agent:6832.'],
  [{ exporter: new MyExporter() as never }, 'all traces go to MyExporter.'],
  [{ metrics: true }, ' Metrics are at /metrics.'],
  [{ metrics: { port: 9464 } }, ' Metrics are at port 9464, /metrics.'],
  [{ data: false, grpc: false }, 'Tracing HTTP, messages, jobs, WebSockets, GraphQL, events of "shop": all'],
])('the line about %j contains %p', (options, text) => {
  expect(lineFor(options)).toContain(text);
  expect(lineFor(options)).not.toContain('secret');
});

it('the line about an application with the provider of another SDK does not speak of its exporters', () => {
  expect(lineFor({}, true)).toBe(
    'Tracing HTTP, gRPC, messages, databases, jobs, WebSockets, GraphQL, events of "shop": the tracer provider that is registered already decides where the spans go.',
  );
});
