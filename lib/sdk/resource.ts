import type { Attributes } from '@opentelemetry/api';
import { loadFromSdk } from './packages.js';
import type { Resource } from './types.js';

interface ResourcesPackage {
  defaultResource(): Resource;
  resourceFromAttributes(attributes: Attributes): Resource;
}

/** The resource of every span: these attributes, and what the SDK says about itself. */
export function createResource(attributes: Attributes): Resource {
  const { defaultResource, resourceFromAttributes } = loadFromSdk<ResourcesPackage>('@opentelemetry/resources');
  return defaultResource().merge(resourceFromAttributes(attributes));
}
