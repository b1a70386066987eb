import type { MethodDefinition, ServerInterceptingCall, ServerInterceptor, ServerListener } from './grpc-js.js';
import { traceSafely } from './trace-safely.js';
import type { OpenCalls } from './open-calls.js';
import { ServerCall, type ServerTracingOptions } from './server-call.js';

/**
 * Returns an interceptor for servers of grpc-js, which traces each call.
 *
 * grpc-js creates the call object for the interceptors only, so the interceptor overrides methods on it instead of wrapping it. These
 * methods are also called for a status that grpc-js sends itself, below all interceptors.
 */
export function serverInterceptor(options: ServerTracingOptions, openCalls: OpenCalls): ServerInterceptor {
  return (definition, call) => {
    traceSafely(() => traceCall(definition, call, options, openCalls));
    return call;
  };
}

function traceCall(
  definition: MethodDefinition,
  call: ServerInterceptingCall,
  options: ServerTracingOptions,
  openCalls: OpenCalls,
): void {
  const start = call.start.bind(call);
  call.start = (listener) => {
    let tracedListener: ServerListener = listener;
    start({
      onReceiveMetadata(metadata) {
        const serverCall = ServerCall.start(definition, call, metadata, options, openCalls);
        tracedListener = serverCall?.bindListener(listener) ?? listener;
        tracedListener.onReceiveMetadata(metadata);
      },
      onReceiveMessage: (message) => tracedListener.onReceiveMessage(message),
      onReceiveHalfClose: () => tracedListener.onReceiveHalfClose(),
      onCancel: () => tracedListener.onCancel(),
    });
  };
}
