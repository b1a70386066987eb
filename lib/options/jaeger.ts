import { TracingConfigurationError } from '../tracing.errors.js';
import { checkKeys } from './check-keys.js';
import { addPath, parseHttpUrl, redactAddress } from './endpoint.js';
import { parseFirst } from './lenient.js';
import { parseInteger, parseText } from './parse.js';
import { firstDefined, readOption, readVariable, type Setting } from './setting.js';
import type { NumberOption } from './text-types.js';

/**
 * Jaeger's own protocol (Thrift): over HTTP to a collector, or over UDP to an agent, by the package `@opentelemetry/exporter-jaeger`.
 * Jaeger 1.35 and later also accept OTLP, which keeps more details of a span.
 */
export type JaegerExporterOptions = JaegerAgentOptions | JaegerCollectorOptions;

/** Jaeger spans over UDP to an agent. Needs the package `@opentelemetry/exporter-jaeger`. */
export interface JaegerAgentOptions {
  type: 'jaeger';
  /** The host of the agent. @default `OTEL_EXPORTER_JAEGER_AGENT_HOST`, else `localhost` */
  host?: string | undefined;
  /** The agent's port for binary Thrift. @default `OTEL_EXPORTER_JAEGER_AGENT_PORT`, else 6832 */
  port?: NumberOption | undefined;
  endpoint?: undefined;
  username?: undefined;
  password?: undefined;
}

/** Jaeger spans over HTTP to a collector. */
export interface JaegerCollectorOptions {
  type: 'jaeger';
  /**
   * Address of the collector, such as `http://localhost:14268/api/traces`. An address without a path gets `/api/traces`.
   * @default `OTEL_EXPORTER_JAEGER_ENDPOINT`
   */
  endpoint?: string | undefined;
  /** Needs a `password` as well. @default `OTEL_EXPORTER_JAEGER_USER` */
  username?: string | undefined;
  /** Needs a `username` as well. @default `OTEL_EXPORTER_JAEGER_PASSWORD` */
  password?: string | undefined;
  host?: undefined;
  port?: undefined;
}

export type ResolvedJaegerExporter =
  | { readonly type: 'jaeger'; readonly host: string; readonly port: number }
  | { readonly type: 'jaeger'; readonly endpoint: string; readonly username?: string; readonly password?: string };

/** The optional package that contains the exporter to an agent. */
export const JAEGER_PACKAGE = '@opentelemetry/exporter-jaeger';

/**
 * Resolves a Jaeger exporter.
 *
 * @param path the name of the option
 * @param given the value of the option; an empty object if the exporter was chosen by its name
 */
export function resolveJaeger(path: string, given: object, env: NodeJS.ProcessEnv): ResolvedJaegerExporter {
  const options = checkKeys<JaegerExporterOptions>(path, given, {
    type: true,
    host: true,
    port: true,
    endpoint: true,
    username: true,
    password: true,
  });
  const setting = (key: keyof JaegerExporterOptions) => readOption(`${path}.${key}`, options[key]);

  const collector = firstDefined(setting('endpoint'), setting('username'), setting('password'));
  const agent = firstDefined(setting('host'), setting('port'));
  if (agent && collector) {
    const fix = `It is for an agent, "${collector.name}" for a collector. Give one or the other.`;
    throw new TracingConfigurationError(agent.name, agent.value, fix);
  }
  const endpointVariable = agent ? undefined : readVariable(env, 'OTEL_EXPORTER_JAEGER_ENDPOINT');
  const endpoint = parseFirst(parseCollectorUrl, setting('endpoint'), endpointVariable);
  if (endpoint !== undefined) {
    const username = setting('username') ?? readVariable(env, 'OTEL_EXPORTER_JAEGER_USER');
    const password = setting('password') ?? readVariable(env, 'OTEL_EXPORTER_JAEGER_PASSWORD');
    return Object.freeze({ type: 'jaeger', endpoint, ...resolveCredentials(path, username, password) });
  }
  if (collector) {
    const fix = `It is for a collector: give "${path}.endpoint" too, such as http://localhost:14268/api/traces.`;
    throw new TracingConfigurationError(collector.name, shownValue(collector), fix);
  }
  const hostVariable = readVariable(env, 'OTEL_EXPORTER_JAEGER_AGENT_HOST');
  const portVariable = readVariable(env, 'OTEL_EXPORTER_JAEGER_AGENT_PORT');
  return Object.freeze({
    type: 'jaeger',
    host: parseFirst(parseHost, setting('host'), hostVariable) ?? 'localhost',
    port: parseFirst((port) => parseInteger(port, 1, 65_535), setting('port'), portVariable) ?? 6832,
  });
}

/** Adds the default path, because a collector accepts spans at no other unless a proxy stands before it. */
function parseCollectorUrl(setting: Setting): string {
  const url = parseHttpUrl(setting);
  return (url.pathname === '/' ? addPath(url, '/api/traces') : url).href;
}

/** Refuses one credential without the other: the exporter ignores it, and the collector would then refuse every span. */
function resolveCredentials(path: string, username: Setting | undefined, password: Setting | undefined) {
  if (username && password) return { username: parseText(username), password: parseText(password) };
  return (
    parseFirst((single) => refuseSingle(path, single, username ? 'password' : 'username'), username ?? password) ?? {}
  );
}

function refuseSingle(path: string, single: Setting, missing: string): never {
  const fix = `Give the ${missing} too, by "${path}.${missing}" or its variable.`;
  throw new TracingConfigurationError(single.name, shownValue(single), fix);
}

function parseHost(setting: Setting): string {
  const host = parseText(setting);
  if (!/[\s/]/.test(host)) return host;
  const fix = 'Give the name or address of the host alone; a URL belongs into "endpoint".';
  throw new TracingConfigurationError(setting.name, redactAddress(host), fix);
}

/** The value of a setting in an error message. */
function shownValue(setting: Setting): unknown {
  return /password/i.test(setting.name) ? 'REDACTED' : setting.value;
}
