/** A port for each way into Jaeger. */
export interface JaegerPorts {
  readonly query: number;
  readonly queryGrpc: number;
  readonly otlpHttp: number;
  readonly otlpGrpc: number;
  readonly thriftHttp: number;
  /** The port of the binary Thrift protocol over UDP. */
  readonly thriftUdp: number;
  readonly sampling: number;
  readonly samplingGrpc: number;
}

/**
 * Jaeger's configuration: all receivers of spans, a storage in memory, and remote sampling from a file.
 *
 * @param udpBuffer bytes of datagrams that wait to be read; with 0, the operating system decides
 */
export function jaegerConfig(ports: JaegerPorts, samplingFile: string, udpBuffer: number): string {
  const on = (port: number) => ({ endpoint: `127.0.0.1:${port}` });
  return JSON.stringify({
    service: {
      extensions: ['jaeger_storage', 'jaeger_query', 'remote_sampling'],
      pipelines: { traces: { receivers: ['otlp', 'jaeger'], exporters: ['jaeger_storage_exporter'] } },
      telemetry: { metrics: { level: 'none' }, logs: { level: 'info' } },
    },
    extensions: {
      jaeger_storage: { backends: { memory: { memory: { max_traces: 100_000 } } } },
      jaeger_query: { storage: { traces: 'memory' }, http: on(ports.query), grpc: on(ports.queryGrpc) },
      remote_sampling: {
        file: { path: samplingFile, reload_interval: '100ms' },
        http: on(ports.sampling),
        grpc: on(ports.samplingGrpc),
      },
    },
    receivers: {
      otlp: { protocols: { http: on(ports.otlpHttp), grpc: on(ports.otlpGrpc) } },
      jaeger: {
        protocols: {
          thrift_http: on(ports.thriftHttp),
          thrift_binary: { ...on(ports.thriftUdp), socket_buffer_size: udpBuffer },
        },
      },
    },
    exporters: { jaeger_storage_exporter: { trace_storage: 'memory' } },
  });
}
