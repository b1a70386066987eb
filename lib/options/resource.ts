import { hostname } from 'node:os';
import type { Attributes } from '@opentelemetry/api';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import { parseAttributes } from './attributes.js';
import { choicesInVariable } from './choices.js';
import { parseKeyValues } from './key-values.js';
import { parseFirst } from './lenient.js';
import type { PackageInfo } from './package-info.js';
import { parseName, parseText } from './parse.js';
import { readOption, readVariable } from './setting.js';

/** The options that describe the service. They are top-level options. */
export interface ResourceOptions {
  /**
   * `service.name` of the resource.
   * @default `OTEL_SERVICE_NAME`, else `service.name` in `OTEL_RESOURCE_ATTRIBUTES`, else the name in the nearest package.json
   */
  serviceName?: string | undefined;

  /**
   * `service.version` of the resource.
   * @default `service.version` in `OTEL_RESOURCE_ATTRIBUTES`, else the version in the nearest package.json
   */
  serviceVersion?: string | undefined;

  /**
   * Further attributes of the resource, such as `deployment.environment.name`. They replace those of `OTEL_RESOURCE_ATTRIBUTES`.
   * @default `OTEL_RESOURCE_ATTRIBUTES` and the detectors in `OTEL_NODE_RESOURCE_DETECTORS`, with host name, process id and runtime
   */
  resource?: Attributes | undefined;
}

/** The names of the SDK's resource detectors. */
const DETECTORS = ['all', 'none', 'env', 'host', 'os', 'process', 'serviceinstance'] as const;

export type ResourceDetectorName = (typeof DETECTORS)[number];

/** The name of a service without a name, as OpenTelemetry's specification defines. */
const UNKNOWN_SERVICE = 'unknown_service:node';

/**
 * Resolves the attributes of the resource.
 *
 * The host, the process id and the runtime are among them. The command line is not, because it may contain secrets.
 */
export function resolveResource(
  options: ResourceOptions,
  env: NodeJS.ProcessEnv,
  findPackage: () => PackageInfo | undefined,
): Attributes {
  const serviceName = readOption('serviceName', options.serviceName);
  const serviceVersion = readOption('serviceVersion', options.serviceVersion);
  const nameVariable = readVariable(env, 'OTEL_SERVICE_NAME');

  const attributes: Attributes = {
    ...processAttributes(),
    // One malformed entry discards the whole variable, as the specification requires.
    ...Object.fromEntries(parseFirst(parseKeyValues, readVariable(env, 'OTEL_RESOURCE_ATTRIBUTES')) ?? []),
    ...(nameVariable && { [ATTR_SERVICE_NAME]: parseText(nameVariable) }),
    ...parseAttributes('resource', options.resource, "{ 'deployment.environment.name': 'staging' }"),
    ...(serviceName && { [ATTR_SERVICE_NAME]: parseText(serviceName) }),
    ...(serviceVersion && { [ATTR_SERVICE_VERSION]: parseText(serviceVersion) }),
  };
  if (!attributes[ATTR_SERVICE_NAME] || !attributes[ATTR_SERVICE_VERSION]) {
    const found = findPackage();
    attributes[ATTR_SERVICE_NAME] ||= found?.name ?? UNKNOWN_SERVICE;
    if (found?.version) attributes[ATTR_SERVICE_VERSION] ||= found.version;
  }
  return Object.freeze(attributes);
}

/** Resolves which resource detectors of the SDK are used. */
export function resolveResourceDetectors(env: NodeJS.ProcessEnv): readonly ResourceDetectorName[] {
  const named = choicesInVariable(readVariable(env, 'OTEL_NODE_RESOURCE_DETECTORS'), (entry) =>
    parseName(entry, DETECTORS),
  );
  return Object.freeze(named ?? []);
}

/** The names are not imported: semantic-conventions exports them as unstable, so any release may remove them. */
function processAttributes(): Attributes {
  return {
    'host.name': hostname(),
    'process.pid': process.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
  };
}
