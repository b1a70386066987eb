import type { OtlpExporterOptions } from '../tracing.options.js';
import { grpcUrl, httpUrl, withPath } from './endpoint.js';
import { booleanVariable } from './boolean-variable.js';
import { HTTP_HEADERS, mergeHeaders, METADATA } from './headers.js';
import { knownKeys } from './known-keys.js';
import { parseFirst } from './lenient.js';
import { oneOf, text, timeout } from './parse.js';
import type { ResolvedFile, ResolvedOtlpExporter } from './resolved-options.js';
import { firstOf, option, variable, type Setting } from './setting.js';

const PROTOCOLS = ['http/protobuf', 'http/json', 'grpc'] as const;
const TRACES_PATH = '/v1/traces';
const COMPRESSIONS = ['gzip', 'none'] as const;

/** Settles an OTLP exporter; `given` is what the user wrote at `path`, empty when it was chosen by name. */
export function resolveOtlp(path: string, given: object, env: NodeJS.ProcessEnv): ResolvedOtlpExporter {
  const options = knownKeys<OtlpExporterOptions>(path, given, [
    'type',
    'protocol',
    'endpoint',
    'headers',
    'timeout',
    'compression',
  ]);
  const setting = (key: keyof OtlpExporterOptions) => option(`${path}.${key}`, options[key]);
  const forTraces = (name: string) => variable(env, `OTEL_EXPORTER_OTLP_TRACES_${name}`);
  const forAll = (name: string) => variable(env, `OTEL_EXPORTER_OTLP_${name}`);

  const sources = (key: keyof OtlpExporterOptions, name: string) =>
    [setting(key), forTraces(name), forAll(name)] as const;

  const protocol = parseFirst((name) => oneOf(name, PROTOCOLS), ...sources('protocol', 'PROTOCOL')) ?? 'http/protobuf';
  const overGrpc = protocol === 'grpc';
  const isInsecure = () => booleanVariable(firstOf(forTraces('INSECURE'), forAll('INSECURE')));
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
