import { TracingConfigurationError } from '../tracing.errors.js';
import { httpUrl, publicText, withPath } from './endpoint.js';
import { knownKeys } from './known-keys.js';
import { parseFirst } from './lenient.js';
import { integer, text } from './parse.js';
import { firstOf, option, variable, type Setting } from './setting.js';

/**
 * Jaeger's own protocol (Thrift), by `@opentelemetry/exporter-jaeger`: to an agent by UDP, or to a collector by HTTP.
 * A Jaeger of version 1.35 or later also takes OTLP, which keeps more of a span.
 */
export type JaegerExporterOptions = JaegerAgentOptions | JaegerCollectorOptions;

/** Jaeger spans by UDP to an agent. */
export interface JaegerAgentOptions {
  type: 'jaeger';
  /** @default `OTEL_EXPORTER_JAEGER_AGENT_HOST`, else `localhost` */
  host?: string;
  /** The agent's port for binary Thrift. @default `OTEL_EXPORTER_JAEGER_AGENT_PORT`, else 6832 */
  port?: number;
  endpoint?: undefined;
  username?: undefined;
  password?: undefined;
}

/** Jaeger spans by HTTP to a collector. */
export interface JaegerCollectorOptions {
  type: 'jaeger';
  /**
   * Such as `http://localhost:14268/api/traces`; without a path `/api/traces` is added.
   * @default `OTEL_EXPORTER_JAEGER_ENDPOINT`
   */
  endpoint?: string;
  /** Goes together with `password`. @default `OTEL_EXPORTER_JAEGER_USER` */
  username?: string;
  /** Goes together with `username`. @default `OTEL_EXPORTER_JAEGER_PASSWORD` */
  password?: string;
  host?: undefined;
  port?: undefined;
}

export type ResolvedJaegerExporter =
  | { readonly type: 'jaeger'; readonly host: string; readonly port: number }
  | { readonly type: 'jaeger'; readonly endpoint: string; readonly username?: string; readonly password?: string };

/** The exporter is a package of its own. */
export const JAEGER_PACKAGE = '@opentelemetry/exporter-jaeger';

/** Settles a Jaeger exporter; `given` is what the user wrote at `path`, empty when it was chosen by name. */
export function resolveJaeger(path: string, given: object, env: NodeJS.ProcessEnv): ResolvedJaegerExporter {
  const options = knownKeys<JaegerExporterOptions>(path, given, {
    type: true,
    host: true,
    port: true,
    endpoint: true,
    username: true,
    password: true,
  });
  const setting = (key: keyof JaegerExporterOptions) => option(`${path}.${key}`, options[key]);

  const collector = firstOf(setting('endpoint'), setting('username'), setting('password'));
  const agent = firstOf(setting('host'), setting('port'));
  if (agent && collector) {
    const fix = `It is for an agent, "${collector.name}" for a collector. Give one or the other.`;
    throw new TracingConfigurationError(agent.name, agent.value, fix);
  }
  const byVariable = (name: string) => variable(env, `OTEL_EXPORTER_JAEGER_${name}`);
  const endpoint = parseFirst(collectorUrl, setting('endpoint'), agent ? undefined : byVariable('ENDPOINT'));
  if (endpoint !== undefined) {
    const username = setting('username') ?? byVariable('USER');
    const password = setting('password') ?? byVariable('PASSWORD');
    return Object.freeze({ type: 'jaeger', endpoint, ...credentials(path, username, password) });
  }
  if (collector) {
    const fix = `It is for a collector: give "${path}.endpoint" too, such as http://localhost:14268/api/traces.`;
    throw new TracingConfigurationError(collector.name, shown(collector), fix);
  }
  return Object.freeze({
    type: 'jaeger',
    host: parseFirst(hostName, setting('host'), byVariable('AGENT_HOST')) ?? 'localhost',
    port: parseFirst((port) => integer(port, 1, 65_535), setting('port'), byVariable('AGENT_PORT')) ?? 6832,
  });
}

/** A collector answers at one path only, so an address without a path can mean no other. */
function collectorUrl(setting: Setting): string {
  const url = httpUrl(setting);
  return (url.pathname === '/' ? withPath(url, '/api/traces') : url).href;
}

/** The exporter passes over one without the other, and the collector would refuse every span. */
function credentials(path: string, username: Setting | undefined, password: Setting | undefined) {
  if (username && password) return { username: text(username), password: text(password) };
  return (
    parseFirst((single) => refuseSingle(path, single, username ? 'password' : 'username'), username ?? password) ?? {}
  );
}

function refuseSingle(path: string, single: Setting, missing: string): never {
  const fix = `Give the ${missing} too, by "${path}.${missing}" or its variable.`;
  throw new TracingConfigurationError(single.name, shown(single), fix);
}

function hostName(setting: Setting): string {
  const host = text(setting);
  if (!/[\s/]/.test(host)) return host;
  const fix = 'Give the name or address of the host alone; a URL belongs into "endpoint".';
  throw new TracingConfigurationError(setting.name, publicText(host), fix);
}

function shown(setting: Setting): unknown {
  return /password/i.test(setting.name) ? 'REDACTED' : setting.value;
}
