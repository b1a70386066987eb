import { isSpanContextValid, type SpanContext } from '@opentelemetry/api';
import { callSafely } from '../core/diagnostics.js';
import type { Metadata, ServerInterceptingCall } from './grpc-js.js';

/**
 * Tells the client the id of the trace: in the initial metadata, or in the trailing metadata of a call that ends before it has sent any.
 *
 * @param request the metadata of the client, which is not changed
 * @param key the key of the metadata that has the id
 */
export function traceResponse(
  call: ServerInterceptingCall,
  request: Metadata,
  spanContext: SpanContext,
  key: string,
): void {
  if (!isSpanContextValid(spanContext)) return;
  const { traceId } = spanContext;
  const sendMetadata = call.sendMetadata.bind(call);
  const sendStatus = call.sendStatus.bind(call);
  let isMetadataSent = false;

  /** Returns a copy, since the application may use its metadata for other calls. */
  function withId(given: Metadata | null | undefined): Metadata | null | undefined {
    const added = callSafely('response.traceId', () => {
      if (given && given.get(key).length > 0) return given;
      const metadata = given?.clone() ?? new (request.constructor as new () => Metadata)();
      metadata.set(key, traceId);
      return metadata;
    });
    return added ?? given;
  }

  // grpc-js also calls it itself before the first message.
  call.sendMetadata = (metadata) => {
    isMetadataSent = true;
    sendMetadata(withId(metadata) ?? metadata);
  };
  call.sendStatus = (status) => {
    sendStatus(isMetadataSent ? status : { ...status, metadata: withId(status.metadata) ?? null });
  };
}
