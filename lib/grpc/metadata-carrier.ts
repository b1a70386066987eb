import type { TextMapGetter, TextMapSetter } from '@opentelemetry/api';
import type { Metadata } from './grpc-js.js';

/** Lets propagators extract a trace context from metadata. */
export const metadataGetter: TextMapGetter<Metadata> = {
  keys: (metadata) => Object.keys(metadata.getMap()),
  get(metadata, key) {
    // Keys that end in -bin have bytes as values, and no propagator uses them.
    const values = metadata.get(key).filter((value) => typeof value === 'string');
    return values.length > 1 ? values : values[0];
  },
};

/** Lets propagators inject a trace context into metadata. */
export const metadataSetter: TextMapSetter<Metadata> = {
  set: (metadata, key, value) => metadata.set(key, value),
};

/** Returns the values of an entry as strings. The values of a key that ends in -bin are bytes, and are returned in Base64, as they are sent. */
export function metadataText(metadata: Metadata, key: string): string[] {
  return metadata.get(key).map((value) => (typeof value === 'string' ? value : value.toString('base64')));
}
