import { isTrue, warnUnlessBoolean } from './boolean-variable.js';
import { addPath, parseGrpcUrl, parseHttpUrl, withoutPath } from './endpoint.js';
import { HTTP_HEADER_RULES, mergeHeaders, METADATA_RULES } from './headers.js';
import { parseFirst } from './lenient.js';
import { parseName, parseText, parseTimeout } from './parse.js';
import { resolveProxy } from './proxy.js';
import { firstDefined, readVariable, readVariables, type Setting, type Sources, type VariableName } from './setting.js';

const PROTOCOLS = ['http/protobuf', 'http/json', 'grpc'] as const;
const COMPRESSIONS = ['gzip', 'none'] as const;

/** The compressions of an export. */
export type OtlpCompression = (typeof COMPRESSIONS)[number];

/** The encodings of the OpenTelemetry protocol. */
export type OtlpProtocol = (typeof PROTOCOLS)[number];

export interface ResolvedOtlpExporter {
  readonly type: 'otlp';
  readonly protocol: OtlpProtocol;
  /** The complete address; with HTTP including the path. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeout: number;
  readonly compression: OtlpCompression;
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

/** The settings that an option in code has for the export of a signal. */
export const OTLP_SETTINGS = {
  protocol: true,
  endpoint: true,
  headers: true,
  timeout: true,
  compression: true,
} as const;

/** The variables of one signal, and the path of its receiver. */
export interface OtlpSignal {
  readonly path: string;
  readonly protocol: VariableName;
  readonly endpoint: VariableName;
  readonly headers: VariableName;
  readonly timeout: VariableName;
  readonly compression: VariableName;
  readonly insecure: VariableName;
  readonly certificate: VariableName;
  readonly clientCertificate: VariableName;
  readonly clientKey: VariableName;
}

export const TRACES: OtlpSignal = {
  path: '/v1/traces',
  protocol: 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
  endpoint: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  headers: 'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
  timeout: 'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT',
  compression: 'OTEL_EXPORTER_OTLP_TRACES_COMPRESSION',
  insecure: 'OTEL_EXPORTER_OTLP_TRACES_INSECURE',
  certificate: 'OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE',
  clientCertificate: 'OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE',
  clientKey: 'OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY',
};

export const LOGS: OtlpSignal = {
  path: '/v1/logs',
  protocol: 'OTEL_EXPORTER_OTLP_LOGS_PROTOCOL',
  endpoint: 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT',
  headers: 'OTEL_EXPORTER_OTLP_LOGS_HEADERS',
  timeout: 'OTEL_EXPORTER_OTLP_LOGS_TIMEOUT',
  compression: 'OTEL_EXPORTER_OTLP_LOGS_COMPRESSION',
  insecure: 'OTEL_EXPORTER_OTLP_LOGS_INSECURE',
  certificate: 'OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE',
  clientCertificate: 'OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE',
  clientKey: 'OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY',
};

/**
 * Resolves the export of a signal.
 *
 * @param settings returns the settings in code: that of the signal, and that of spans, which holds if nothing names the signal
 */
export function resolveSignal(
  signal: OtlpSignal,
  settings: (key: keyof typeof OTLP_SETTINGS) => Sources,
  env: NodeJS.ProcessEnv,
): ResolvedOtlpExporter {
  const variables = (...names: VariableName[]) => readVariables(env, ...names);
  const sources = (key: keyof typeof OTLP_SETTINGS, shared: VariableName): Sources => {
    const [own, general] = settings(key);
    return [own, readVariable(env, signal[key]), general, readVariable(env, shared)];
  };

  const protocol =
    parseFirst((name) => parseName(name, PROTOCOLS), ...sources('protocol', 'OTEL_EXPORTER_OTLP_PROTOCOL')) ??
    'http/protobuf';
  const isGrpc = protocol === 'grpc';
  const [ownEndpoint, sharedEndpoint] = settings('endpoint');
  const [ownHeaders, sharedHeaders] = settings('headers');
  const url = isGrpc
    ? resolveGrpcUrl(signal, sources('endpoint', 'OTEL_EXPORTER_OTLP_ENDPOINT'), env)
    : resolveHttpUrl(signal, ownEndpoint, sharedEndpoint, env);

  const rules = isGrpc ? METADATA_RULES : HTTP_HEADER_RULES;

  return Object.freeze({
    type: 'otlp',
    protocol,
    url,
    headers: Object.freeze({
      ...mergeHeaders(variables('OTEL_EXPORTER_OTLP_HEADERS'), sharedHeaders, rules),
      ...mergeHeaders(variables(signal.headers), ownHeaders, rules),
    }),
    timeout: parseFirst(parseTimeout, ...sources('timeout', 'OTEL_EXPORTER_OTLP_TIMEOUT')) ?? 10_000,
    compression:
      parseFirst(
        (name) => parseName(name, COMPRESSIONS),
        ...sources('compression', 'OTEL_EXPORTER_OTLP_COMPRESSION'),
      ) ?? 'none',
    proxy: resolveProxy(new URL(url), env),
    tls: Object.freeze({
      certificate: fileOf(variables(signal.certificate, 'OTEL_EXPORTER_OTLP_CERTIFICATE')),
      clientCertificate: fileOf(variables(signal.clientCertificate, 'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE')),
      clientKey: fileOf(variables(signal.clientKey, 'OTEL_EXPORTER_OTLP_CLIENT_KEY')),
    }),
  });
}

function resolveGrpcUrl(signal: OtlpSignal, endpoints: Sources, env: NodeJS.ProcessEnv): string {
  const insecure = firstDefined(...readVariables(env, signal.insecure, 'OTEL_EXPORTER_OTLP_INSECURE'));
  const isInsecure = () => {
    warnUnlessBoolean(insecure);
    return isTrue(insecure);
  };
  // Only the origin: the SDK's exporter warns of a path, which gRPC does not use and which an address for HTTP often has.
  const parseOrigin = (endpoint: Setting) => parseGrpcUrl(endpoint, isInsecure).origin;
  return parseFirst(parseOrigin, ...endpoints) ?? 'http://localhost:4317';
}

function resolveHttpUrl(
  { endpoint, path }: OtlpSignal,
  own: Setting | undefined,
  ofSpans: Setting | undefined,
  env: NodeJS.ProcessEnv,
): string {
  const parseBase = (base: Setting) => addPath(parseHttpUrl(base), path).href;
  const parseComplete = (complete: Setting) => parseHttpUrl(complete).href;
  const parseSibling = (base: Setting) => addPath(withoutPath(parseHttpUrl(base), TRACES.path), path).href;
  return (
    parseFirst(parseBase, own) ??
    parseFirst(parseComplete, readVariable(env, endpoint)) ??
    parseFirst(parseSibling, ofSpans) ??
    parseFirst(parseBase, readVariable(env, 'OTEL_EXPORTER_OTLP_ENDPOINT')) ??
    `http://localhost:4318${path}`
  );
}

function fileOf(variables: Sources): ResolvedFile | undefined {
  const setting = firstDefined(...variables);
  return setting && Object.freeze({ variable: setting.name, path: parseText(setting) });
}
