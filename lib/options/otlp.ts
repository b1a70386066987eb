import type { OtlpExporterOptions, OtlpProtocol } from '../tracing.options.js';
import { grpcUrl, httpUrl, withPath } from './endpoint.js';
import { mergeHeaders } from './headers.js';
import { knownKeys } from './known-keys.js';
import { milliseconds, oneOf, text } from './parse.js';
import type { ResolvedFile, ResolvedOtlpExporter } from './resolved-options.js';
import { firstOf, option, variable, type Setting } from './setting.js';

const PROTOCOLS = ['http/protobuf', 'http/json', 'grpc'] as const;
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

  const protocol = firstOf(setting('protocol'), forTraces('PROTOCOL'), forAll('PROTOCOL'));
  const timeout = firstOf(setting('timeout'), forTraces('TIMEOUT'), forAll('TIMEOUT'));
  const compression = firstOf(setting('compression'), forTraces('COMPRESSION'), forAll('COMPRESSION'));
  const chosen = protocol ? oneOf(protocol, PROTOCOLS) : 'http/protobuf';

  return Object.freeze({
    type: 'otlp',
    protocol: chosen,
    url: address(chosen, setting('endpoint'), forTraces('ENDPOINT'), forAll('ENDPOINT')),
    headers: mergeHeaders([forAll('HEADERS'), forTraces('HEADERS')], setting('headers')),
    timeout: timeout ? milliseconds(timeout) : 10_000,
    compression: compression ? oneOf(compression, COMPRESSIONS) : 'none',
    tls: Object.freeze({
      certificate: file(firstOf(forTraces('CERTIFICATE'), forAll('CERTIFICATE'))),
      clientCertificate: file(firstOf(forTraces('CLIENT_CERTIFICATE'), forAll('CLIENT_CERTIFICATE'))),
      clientKey: file(firstOf(forTraces('CLIENT_KEY'), forAll('CLIENT_KEY'))),
    }),
  });
}

function address(protocol: OtlpProtocol, given?: Setting, forTraces?: Setting, forAll?: Setting): string {
  if (protocol === 'grpc') {
    const setting = firstOf(given, forTraces, forAll);
    // A path has no meaning to gRPC; one that is left from an HTTP address would only be warned about by the exporter.
    return setting ? grpcUrl(setting).origin : 'http://localhost:4317';
  }
  if (!given && forTraces) return httpUrl(forTraces).href;
  const base = given ?? forAll;
  return withPath(base ? httpUrl(base) : new URL('http://localhost:4318'), '/v1/traces').href;
}

function file(setting: Setting | undefined): ResolvedFile | undefined {
  return setting && Object.freeze({ variable: setting.name, path: text(setting) });
}
