import { hostname } from 'node:os';
import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import { TracingConfigurationError } from '../tracing.errors.js';
import { choicesInVariable } from './choices.js';
import { keyValues } from './key-values.js';
import { parseFirst } from './lenient.js';
import type { PackageInfo } from './package-info.js';
import { oneOf, text } from './parse.js';
import { option, variable } from './setting.js';

/** The options that describe the service. */
export interface ResourceOptions {
  /**
   * `service.name` of the resource.
   * @default `OTEL_SERVICE_NAME`, else `service.name` in `OTEL_RESOURCE_ATTRIBUTES`, else the name in the nearest package.json
   */
  serviceName?: string;

  /**
   * `service.version` of the resource.
   * @default `service.version` in `OTEL_RESOURCE_ATTRIBUTES`, else the version in the nearest package.json
   */
  serviceVersion?: string;

  /**
   * More attributes of the resource, such as `deployment.environment.name`. They win over `OTEL_RESOURCE_ATTRIBUTES`.
   * @default {}
   */
  resource?: Attributes;
}

/** The names that the SDK has for its resource detectors. */
const DETECTORS = ['all', 'none', 'env', 'host', 'os', 'process', 'serviceinstance'] as const;

/** The value that OpenTelemetry's specification gives a service without a name. */
const UNKNOWN_SERVICE = 'unknown_service:node';

/**
 * Settles the attributes of the resource.
 *
 * The process is described by its host, id and runtime, and not by its command line, which may hold secrets.
 */
export function resolveResource(
  options: ResourceOptions,
  env: NodeJS.ProcessEnv,
  findPackage: () => PackageInfo | undefined,
): Attributes {
  const serviceName = option('serviceName', options.serviceName);
  const serviceVersion = option('serviceVersion', options.serviceVersion);
  const nameVariable = variable(env, 'OTEL_SERVICE_NAME');

  const attributes: Attributes = {
    ...processAttributes(),
    // All or nothing, as the specification has it.
    ...Object.fromEntries(parseFirst(keyValues, variable(env, 'OTEL_RESOURCE_ATTRIBUTES')) ?? []),
    ...(nameVariable && { [ATTR_SERVICE_NAME]: text(nameVariable) }),
    ...givenAttributes(options.resource),
    ...(serviceName && { [ATTR_SERVICE_NAME]: text(serviceName) }),
    ...(serviceVersion && { [ATTR_SERVICE_VERSION]: text(serviceVersion) }),
  };
  if (!attributes[ATTR_SERVICE_NAME] || !attributes[ATTR_SERVICE_VERSION]) {
    const found = findPackage();
    attributes[ATTR_SERVICE_NAME] ||= found?.name ?? UNKNOWN_SERVICE;
    if (found?.version) attributes[ATTR_SERVICE_VERSION] ||= found.version;
  }
  return Object.freeze(attributes);
}

/** The resource detectors of the SDK that the application's environment asks for. */
export function resolveResourceDetectors(env: NodeJS.ProcessEnv): readonly string[] {
  const named = choicesInVariable(variable(env, 'OTEL_NODE_RESOURCE_DETECTORS'), (entry) => oneOf(entry, DETECTORS));
  return Object.freeze(named ?? []);
}

/** Written out since the conventions hold these names among the unstable ones, which may leave the package at any release. */
function processAttributes(): Attributes {
  return {
    'host.name': hostname(),
    'process.pid': process.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
  };
}

function givenAttributes(given: unknown): Attributes {
  if (given === undefined) return {};
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const fix = "Give an object of attributes, such as { 'deployment.environment.name': 'staging' }.";
    throw new TracingConfigurationError('resource', given, fix);
  }
  const attributes: Attributes = {};
  for (const [key, value] of Object.entries(given)) {
    if (value !== undefined) attributes[key] = attributeValue(`resource.${key}`, value);
  }
  return attributes;
}

function attributeValue(name: string, value: unknown): AttributeValue {
  if (isScalar(value)) return value;
  if (Array.isArray(value) && value.every((item) => isScalar(item) && typeof item === typeof value[0])) {
    return Object.freeze([...value]) as unknown as AttributeValue;
  }
  throw new TracingConfigurationError(name, value, 'Use a text, a number, a boolean, or a list of one of them.');
}

function isScalar(value: unknown): value is string | number | boolean {
  return (
    typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  );
}
