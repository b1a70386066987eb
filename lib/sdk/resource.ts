import type { Attributes } from '@opentelemetry/api';
import {
  ATTR_TELEMETRY_SDK_LANGUAGE,
  ATTR_TELEMETRY_SDK_NAME,
  ATTR_TELEMETRY_SDK_VERSION,
  TELEMETRY_SDK_LANGUAGE_VALUE_NODEJS,
} from '@opentelemetry/semantic-conventions';
import type { ResourceDetectorName } from '../options/resource.js';
import type { ReadableSpan } from '../options/sdk-types.js';
import { FixedResource } from './fixed-resource.js';
import { loadFromSdk, versionFromSdk } from './packages.js';

/** The resource of the SDK. */
export type Resource = ReadableSpan['resource'];

interface ResourcesPackage {
  defaultResource(): Resource;
  resourceFromAttributes(attributes: Attributes): Resource;
  detectResources(config: { detectors: readonly unknown[] }): Resource;
  readonly envDetector: unknown;
  readonly hostDetector: unknown;
  readonly osDetector: unknown;
  readonly processDetector: unknown;
  readonly serviceInstanceIdDetector: unknown;
}

/**
 * Creates the resource of every span: the given attributes, then what the detectors find, then what the SDK says about itself.
 *
 * @param detectorNames the detectors of `OTEL_NODE_RESOURCE_DETECTORS`
 */
export function createResource(attributes: Attributes, detectorNames: readonly ResourceDetectorName[] = []): Resource {
  if (detectorNames.every((name) => name === 'none')) return new FixedResource({ ...sdkAttributes(), ...attributes });
  const resources = loadFromSdk<ResourcesPackage>('@opentelemetry/resources');
  const base = resources.defaultResource();
  const detectors = detectorsNamed(detectorNames, resources);
  const detected = detectors.length > 0 ? base.merge(resources.detectResources({ detectors })) : base;
  return detected.merge(resources.resourceFromAttributes(attributes));
}

/** The attributes of the SDK's default resource. */
function sdkAttributes(): Attributes {
  return {
    [ATTR_TELEMETRY_SDK_LANGUAGE]: TELEMETRY_SDK_LANGUAGE_VALUE_NODEJS,
    [ATTR_TELEMETRY_SDK_NAME]: 'opentelemetry',
    [ATTR_TELEMETRY_SDK_VERSION]: versionFromSdk('@opentelemetry/core'),
  };
}

function detectorsNamed(names: readonly ResourceDetectorName[], resources: ResourcesPackage): unknown[] {
  const byName: Record<Exclude<ResourceDetectorName, 'all' | 'none'>, unknown> = {
    env: resources.envDetector,
    host: resources.hostDetector,
    os: resources.osDetector,
    process: resources.processDetector,
    serviceinstance: resources.serviceInstanceIdDetector,
  };
  if (names.includes('none')) return [];
  if (names.includes('all')) return Object.values(byName);
  return Object.entries(byName).flatMap(([name, detector]) =>
    names.includes(name as ResourceDetectorName) ? [detector] : [],
  );
}
