import { isTrue, warnUnlessBoolean } from './boolean-variable.js';
import { checkKeys } from './check-keys.js';
import { addPath, parseGrpcUrl, parseHttpUrl } from './endpoint.js';
import { HTTP_HEADER_RULES, mergeHeaders, METADATA_RULES } from './headers.js';
import { parseFirst } from './lenient.js';
import { parseName, parseText, parseTimeout } from './parse.js';
import { resolveProxy } from './proxy.js';
import {
  firstDefined,
  readOption,
  readVariable,
  readVariables,
  type Setting,
  type Sources,
  type VariableName,
} from './setting.js';
import type { NumberOption } from './text-types.js';

const PROTOCOLS = ['http/protobuf', 'http/json', 'grpc'] as const;
const COMPRESSIONS = ['gzip', 'none'] as const;

type Compression = (typeof COMPRESSIONS)[number];

/** The OpenTelemetry protocol (OTLP), which Jaeger, Tempo, the Collector and every vendor accept. */
export interface OtlpExporterOptions {
  type: 'otlp';
  /** @default `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL`, `OTEL_EXPORTER_OTLP_PROTOCOL`, else `http/protobuf` */
  protocol?: OtlpProtocol;
  /**
   * Base address of the receiver. With HTTP, `/v1/traces` is added unless the path ends with it. With gRPC, the address may be
   * `host:port`: the connection then uses TLS unless `OTEL_EXPORTER_OTLP_TRACES_INSECURE` or `OTEL_EXPORTER_OTLP_INSECURE` is
   * `true`.
   * @default `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` without any addition, else `OTEL_EXPORTER_OTLP_ENDPOINT` as a base address,
   *   else `http://localhost:4318` (HTTP) or `http://localhost:4317` (gRPC)
   */
  endpoint?: string;
  /**
   * Headers of each export, or metadata with gRPC, such as an API key. They are added to the headers of the variables. A
   * header without a value is left out.
   * @default `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_EXPORTER_OTLP_TRACES_HEADERS`
   */
  headers?: Readonly<Record<string, string | number | undefined>>;
  /**
   * Longest time of one export including its retries, in milliseconds.
   * @default `OTEL_EXPORTER_OTLP_TRACES_TIMEOUT`, `OTEL_EXPORTER_OTLP_TIMEOUT`, else 10000
   */
  timeout?: NumberOption;
  /** @default `OTEL_EXPORTER_OTLP_TRACES_COMPRESSION`, `OTEL_EXPORTER_OTLP_COMPRESSION`, else `none` */
  compression?: Compression;
}

/** The encodings of the OpenTelemetry protocol. */
export type OtlpProtocol = (typeof PROTOCOLS)[number];

export interface ResolvedOtlpExporter {
  readonly type: 'otlp';
  readonly protocol: OtlpProtocol;
  /** The complete address; with HTTP including the path. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeout: number;
  readonly compression: Compression;
  /** The URL of the proxy, which may have credentials. Undefined if there is none. */
  readonly proxy: string | undefined;
  readonly tls: ResolvedTls;
}

/** The certificate files for a receiver with an `https:` address. Only variables name them. */
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

/**
 * Resolves an OTLP exporter.
 *
 * @param path the name of the option
 * @param given the value of the option; an empty object if the exporter was chosen by its name
 */
export function resolveOtlp(path: string, given: object, env: NodeJS.ProcessEnv): ResolvedOtlpExporter {
  const options = checkKeys<OtlpExporterOptions>(path, given, {
    type: true,
    protocol: true,
    endpoint: true,
    headers: true,
    timeout: true,
    compression: true,
  });
  const setting = (key: keyof OtlpExporterOptions) => readOption(`${path}.${key}`, options[key]);
  const variables = (...names: VariableName[]) => readVariables(env, ...names);

  const protocol =
    parseFirst(
      (name) => parseName(name, PROTOCOLS),
      setting('protocol'),
      ...variables('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'),
    ) ?? 'http/protobuf';
  const isGrpc = protocol === 'grpc';
  const url = isGrpc ? resolveGrpcUrl(setting('endpoint'), env) : resolveHttpUrl(setting('endpoint'), env);

  return Object.freeze({
    type: 'otlp',
    protocol,
    url,
    headers: mergeHeaders(
      variables('OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'),
      setting('headers'),
      isGrpc ? METADATA_RULES : HTTP_HEADER_RULES,
    ),
    timeout:
      parseFirst(
        parseTimeout,
        setting('timeout'),
        ...variables('OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'),
      ) ?? 10_000,
    compression:
      parseFirst(
        (name) => parseName(name, COMPRESSIONS),
        setting('compression'),
        ...variables('OTEL_EXPORTER_OTLP_TRACES_COMPRESSION', 'OTEL_EXPORTER_OTLP_COMPRESSION'),
      ) ?? 'none',
    proxy: resolveProxy(new URL(url), env),
    tls: Object.freeze({
      certificate: fileOf(variables('OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE', 'OTEL_EXPORTER_OTLP_CERTIFICATE')),
      clientCertificate: fileOf(
        variables('OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE', 'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE'),
      ),
      clientKey: fileOf(variables('OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY', 'OTEL_EXPORTER_OTLP_CLIENT_KEY')),
    }),
  });
}

function resolveGrpcUrl(option: Setting | undefined, env: NodeJS.ProcessEnv): string {
  const insecure = firstDefined(
    ...readVariables(env, 'OTEL_EXPORTER_OTLP_TRACES_INSECURE', 'OTEL_EXPORTER_OTLP_INSECURE'),
  );
  const isInsecure = () => {
    warnUnlessBoolean(insecure);
    return isTrue(insecure);
  };
  const variables = readVariables(env, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT');
  // Only the origin: the SDK's exporter warns of a path, which gRPC does not use and which an address for HTTP often has.
  const parseOrigin = (endpoint: Setting) => parseGrpcUrl(endpoint, isInsecure).origin;
  return parseFirst(parseOrigin, option, ...variables) ?? 'http://localhost:4317';
}

function resolveHttpUrl(option: Setting | undefined, env: NodeJS.ProcessEnv): string {
  const parseBase = (endpoint: Setting) => addPath(parseHttpUrl(endpoint), TRACES_PATH).href;
  const parseComplete = (endpoint: Setting) => parseHttpUrl(endpoint).href;
  return (
    parseFirst(parseBase, option) ??
    parseFirst(parseComplete, readVariable(env, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT')) ??
    parseFirst(parseBase, readVariable(env, 'OTEL_EXPORTER_OTLP_ENDPOINT')) ??
    `http://localhost:4318${TRACES_PATH}`
  );
}

function fileOf(variables: Sources): ResolvedFile | undefined {
  const setting = firstDefined(...variables);
  return setting && Object.freeze({ variable: setting.name, path: parseText(setting) });
}
