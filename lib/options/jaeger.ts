import { TracingConfigurationError } from '../tracing.errors.js';
import type { JaegerAgentOptions, JaegerCollectorOptions } from '../tracing.options.js';
import { httpUrl, publicText, withPath } from './endpoint.js';
import { knownKeys } from './known-keys.js';
import { parseFirst } from './lenient.js';
import { integer, text } from './parse.js';
import type { ResolvedExporter } from './resolved-options.js';
import { firstOf, option, variable, type Setting } from './setting.js';

/** The exporter is a package of its own. */
export const JAEGER_PACKAGE = '@opentelemetry/exporter-jaeger';

type ResolvedJaeger = Extract<ResolvedExporter, { type: 'jaeger' }>;
type JaegerOptions = { [Key in keyof JaegerAgentOptions & keyof JaegerCollectorOptions]: unknown };

/** Settles a Jaeger exporter; `given` is what the user wrote at `path`, empty when it was chosen by name. */
export function resolveJaeger(path: string, given: object, env: NodeJS.ProcessEnv): ResolvedJaeger {
  const keys = ['type', 'host', 'port', 'endpoint', 'username', 'password'] as const;
  const options = knownKeys<JaegerOptions>(path, given, keys);
  const setting = (key: keyof JaegerOptions) => option(`${path}.${key}`, options[key]);

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
