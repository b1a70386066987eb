import type { Attributes } from '@opentelemetry/api';
import { loadFromSdk } from './packages.js';
import type { Resource } from './types.js';

interface ResourcesPackage {
  defaultResource(): Resource;
  resourceFromAttributes(attributes: Attributes): Resource;
}

/** Creates the resource of every span: these attributes, and those of the SDK about itself. */
export function createResource(attributes: Attributes): Resource {
  const { defaultResource, resourceFromAttributes } = loadFromSdk<ResourcesPackage>('@opentelemetry/resources');
  return defaultResource().merge(resourceFromAttributes(attributes));
}
