import { InterceptingCall, type Interceptor, type Metadata } from '@grpc/grpc-js';
import { context, propagation, SpanKind, trace, type TextMapSetter, type Tracer } from '@opentelemetry/api';
import { addressAttributes, endWith, methodOf, startAttributes } from './grpc-attributes.js';

const setter: TextMapSetter<Metadata> = {
  set: (metadata, key, value) => metadata.set(key, value),
};

/** Makes a client span for each call, with a grpc-js interceptor. */
export function clientInterceptor(tracer: Tracer): Interceptor {
  return (options, nextCall) => {
    const method = methodOf(options.method_definition.path);
    const call: InterceptingCall = new InterceptingCall(nextCall(options), {
      start(metadata, _listener, next) {
        const attributes = { ...startAttributes(method), ...addressAttributes('server', call.getPeer()) };
        const span = tracer.startSpan(method, { kind: SpanKind.CLIENT, attributes });
        const inside = trace.setSpan(context.active(), span);
        propagation.inject(inside, metadata, setter);
        context.with(inside, () =>
          next(metadata, {
            onReceiveStatus(status, next) {
              span.setAttributes(addressAttributes('network.peer', call.getPeer()));
              endWith(span, status, 'client');
              next(status);
            },
          }),
        );
      },
    });
    return call;
  };
}
