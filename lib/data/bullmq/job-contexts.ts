import { createContextKey, type Context } from '@opentelemetry/api';

const METADATA = createContextKey('nestjs-tracing BullMQ metadata');

/** The carriers that BullMQ is to store with a job, by the context that it asks for. */
const metadataByContext = new WeakMap<Context, () => string>();

/** Returns a context with the metadata of the job that is processed in it. */
export function withJobMetadata(context: Context, metadata: string): Context {
  return context.setValue(METADATA, metadata);
}

/** Returns the metadata of the job that is processed in a context. Empty if there is none. */
export function jobMetadataIn(context: Context): string {
  return (context.getValue(METADATA) as string | undefined) ?? '';
}

/** Returns a context of its own, in which `metadata` is what BullMQ stores with a job. */
export function withStoredMetadata(context: Context, metadata: () => string): Context {
  const own = context.setValue(METADATA, jobMetadataIn(context));
  metadataByContext.set(own, metadata);
  return own;
}

/** Returns what BullMQ is to store with a job. */
export function storedMetadataOf(context: Context): string {
  return metadataByContext.get(context)?.() ?? '';
}
