import type { MethodDefinition, ServerInterceptingCall, ServerInterceptor, ServerListener } from './grpc-js.js';
import { observe } from './guarded-call.js';
import type { OpenCalls } from './open-calls.js';
import { ServerCall, type ServerTracingOptions } from './server-call.js';

/**
 * An interceptor of grpc-js for servers, which traces each call that they serve.
 *
 * The call was made by grpc-js for this one use and is handed over, so it gets methods of its own rather than another
 * object around it: these also see what grpc-js answers by itself, below all interceptors.
 */
export function serverInterceptor(options: ServerTracingOptions, open: OpenCalls): ServerInterceptor {
  return (definition, call) => {
    observe(() => traceCall(definition, call, options, open));
    return call;
  };
}

function traceCall(
  definition: MethodDefinition,
  call: ServerInterceptingCall,
  options: ServerTracingOptions,
  open: OpenCalls,
): void {
  const start = call.start.bind(call);
  call.start = (listener) => {
    let serving: ServerListener = listener;
    start({
      onReceiveMetadata(metadata) {
        serving = ServerCall.start(definition, call, metadata, options, open)?.handOn(listener) ?? listener;
        serving.onReceiveMetadata(metadata);
      },
      onReceiveMessage: (message) => serving.onReceiveMessage(message),
      onReceiveHalfClose: () => serving.onReceiveHalfClose(),
      onCancel: () => serving.onCancel(),
    });
  };
}
