import { isTrue, warnUnlessBoolean } from './boolean-variable.js';
import { grpcUrl, httpUrl, withPath } from './endpoint.js';
import { HTTP_HEADERS, mergeHeaders, METADATA } from './headers.js';
import { knownKeys } from './known-keys.js';
import { parseFirst } from './lenient.js';
import { oneOf, text, timeout } from './parse.js';
import { firstOf, option, variable, type Setting } from './setting.js';

const PROTOCOLS = ['http/protobuf', 'http/json', 'grpc'] as const;
const COMPRESSIONS = ['gzip', 'none'] as const;

type Compression = (typeof COMPRESSIONS)[number];

/** The OpenTelemetry protocol, which Jaeger, Tempo, the Collector and every vendor accept. */
export interface OtlpExporterOptions {
  type: 'otlp';
  /** @default `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL`, `OTEL_EXPORTER_OTLP_PROTOCOL`, else `http/protobuf` */
  protocol?: OtlpProtocol;
  /**
   * Base address of the receiver. Over HTTP `/v1/traces` is added, unless the path ends so already. Over gRPC it may be
   * `host:port`, which is reached by TLS unless `OTEL_EXPORTER_OTLP_TRACES_INSECURE` or `OTEL_EXPORTER_OTLP_INSECURE` is `true`.
   * @default `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` as it stands, else `OTEL_EXPORTER_OTLP_ENDPOINT` as a base, else `http://localhost:4318` (HTTP) or `http://localhost:4317` (gRPC)
   */
  endpoint?: string;
  /**
   * Headers (gRPC: metadata) sent along, such as an API key. They are added to those of the variables.
   * @default `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_EXPORTER_OTLP_TRACES_HEADERS`
   */
  headers?: Readonly<Record<string, string>>;
  /**
   * How long one export may take, retries included, in milliseconds.
   * @default `OTEL_EXPORTER_OTLP_TRACES_TIMEOUT`, `OTEL_EXPORTER_OTLP_TIMEOUT`, else 10000
   */
  timeout?: number;
  /** @default `OTEL_EXPORTER_OTLP_TRACES_COMPRESSION`, `OTEL_EXPORTER_OTLP_COMPRESSION`, else `none` */
  compression?: Compression;
}

/** The encodings of the OpenTelemetry protocol. */
export type OtlpProtocol = (typeof PROTOCOLS)[number];

export interface ResolvedOtlpExporter {
  readonly type: 'otlp';
  readonly protocol: OtlpProtocol;
  /** Complete: over HTTP with its path. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeout: number;
  readonly compression: Compression;
  readonly tls: ResolvedTls;
}

/** Files with certificates, for an `https:` receiver. Only variables name them. */
export interface ResolvedTls {
  readonly certificate: ResolvedFile | undefined;
  readonly clientCertificate: ResolvedFile | undefined;
  readonly clientKey: ResolvedFile | undefined;
}

export interface ResolvedFile {
  readonly variable: string;
  readonly path: string;
}

const TRACES_PATH = '/v1/traces';

/** Settles an OTLP exporter; `given` is what the user wrote at `path`, empty when it was chosen by name. */
export function resolveOtlp(path: string, given: object, env: NodeJS.ProcessEnv): ResolvedOtlpExporter {
  const options = knownKeys<OtlpExporterOptions>(path, given, {
    type: true,
    protocol: true,
    endpoint: true,
    headers: true,
    timeout: true,
    compression: true,
  });
  const setting = (key: keyof OtlpExporterOptions) => option(`${path}.${key}`, options[key]);
  const forTraces = (name: string) => variable(env, `OTEL_EXPORTER_OTLP_TRACES_${name}`);
  const forAll = (name: string) => variable(env, `OTEL_EXPORTER_OTLP_${name}`);

  const sources = (key: keyof OtlpExporterOptions, name: string) =>
    [setting(key), forTraces(name), forAll(name)] as const;

  const protocol = parseFirst((name) => oneOf(name, PROTOCOLS), ...sources('protocol', 'PROTOCOL')) ?? 'http/protobuf';
  const overGrpc = protocol === 'grpc';
  const insecure = firstOf(forTraces('INSECURE'), forAll('INSECURE'));
  const isInsecure = () => {
    warnUnlessBoolean(insecure);
    return isTrue(insecure);
  };
  const endpoints = sources('endpoint', 'ENDPOINT');

  return Object.freeze({
    type: 'otlp',
    protocol,
    url: overGrpc ? grpcAddress(endpoints, isInsecure) : httpAddress(...endpoints),
    headers: mergeHeaders(
      [forAll('HEADERS'), forTraces('HEADERS')],
      setting('headers'),
      overGrpc ? METADATA : HTTP_HEADERS,
    ),
    timeout: parseFirst(timeout, ...sources('timeout', 'TIMEOUT')) ?? 10_000,
    compression: parseFirst((name) => oneOf(name, COMPRESSIONS), ...sources('compression', 'COMPRESSION')) ?? 'none',
    tls: Object.freeze({
      certificate: file(firstOf(forTraces('CERTIFICATE'), forAll('CERTIFICATE'))),
      clientCertificate: file(firstOf(forTraces('CLIENT_CERTIFICATE'), forAll('CLIENT_CERTIFICATE'))),
      clientKey: file(firstOf(forTraces('CLIENT_KEY'), forAll('CLIENT_KEY'))),
    }),
  });
}

function grpcAddress(endpoints: readonly (Setting | undefined)[], isInsecure: () => boolean): string {
  // A path has no meaning to gRPC; one that is left from an HTTP address would only be warned about by the exporter.
  return parseFirst((endpoint) => grpcUrl(endpoint, isInsecure).origin, ...endpoints) ?? 'http://localhost:4317';
}

function httpAddress(given?: Setting, forTraces?: Setting, forAll?: Setting): string {
  const base = (endpoint: Setting) => withPath(httpUrl(endpoint), TRACES_PATH).href;
  const asItStands = (endpoint: Setting) => httpUrl(endpoint).href;
  return (
    parseFirst(base, given) ??
    parseFirst(asItStands, forTraces) ??
    parseFirst(base, forAll) ??
    `http://localhost:4318${TRACES_PATH}`
  );
}

function file(setting: Setting | undefined): ResolvedFile | undefined {
  return setting && Object.freeze({ variable: setting.name, path: text(setting) });
}
