import type { ExporterOption } from 'nestjs-tracing';
import type { Jaeger } from './jaeger.js';

/** A way to send spans to Jaeger, as options and as variables. */
interface Way {
  readonly exporter: (jaeger: Jaeger) => ExporterOption;
  readonly env: (jaeger: Jaeger) => Record<string, string>;
}

const otlp = (protocol: 'http/protobuf' | 'http/json' | 'grpc'): Way => {
  const endpoint = ({ ports }: Jaeger) => `http://127.0.0.1:${protocol === 'grpc' ? ports.otlpGrpc : ports.otlpHttp}`;
  return {
    exporter: (jaeger) => ({ type: 'otlp', protocol, endpoint: endpoint(jaeger) }),
    env: (jaeger) => ({
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint(jaeger),
    }),
  };
};

const collector = ({ ports }: Jaeger) => `http://127.0.0.1:${ports.thriftHttp}/api/traces`;

export const ways = {
  'OTLP http/protobuf': otlp('http/protobuf'),
  'OTLP http/json': otlp('http/json'),
  'OTLP grpc': otlp('grpc'),
  'Thrift over HTTP': {
    exporter: (jaeger) => ({ type: 'jaeger', endpoint: collector(jaeger) }),
    env: (jaeger) => ({ OTEL_TRACES_EXPORTER: 'jaeger', OTEL_EXPORTER_JAEGER_ENDPOINT: collector(jaeger) }),
  },
  'Thrift over UDP': {
    exporter: ({ ports }) => ({ type: 'jaeger', host: '127.0.0.1', port: ports.thriftUdp }),
    env: ({ ports }) => ({
      OTEL_TRACES_EXPORTER: 'jaeger',
      OTEL_EXPORTER_JAEGER_AGENT_HOST: '127.0.0.1',
      OTEL_EXPORTER_JAEGER_AGENT_PORT: String(ports.thriftUdp),
    }),
  },
} satisfies Record<string, Way>;

export type WayName = keyof typeof ways;

export const wayNames = Object.keys(ways) as WayName[];
