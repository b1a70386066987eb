import type { TextMapGetter, TextMapSetter } from '@opentelemetry/api';
import type { Metadata } from './grpc-js.js';

/** How propagators read trace context from metadata. */
export const metadataGetter: TextMapGetter<Metadata> = {
  keys: (metadata) => Object.keys(metadata.getMap()),
  get(metadata, key) {
    // Keys that end in -bin hold bytes, and are no propagator's.
    const values = metadata.get(key).filter((value) => typeof value === 'string');
    return values.length > 1 ? values : values[0];
  },
};

/** How propagators write trace context into metadata. */
export const metadataSetter: TextMapSetter<Metadata> = {
  set: (metadata, key, value) => metadata.set(key, value),
};

/** The values of an entry as text. Those of a key that ends in -bin are bytes, which go over the wire in Base64. */
export function metadataText(metadata: Metadata, key: string): string[] {
  return metadata.get(key).map((value) => (typeof value === 'string' ? value : value.toString('base64')));
}
