import { ServerInterceptingCall, status, type Metadata, type ServerInterceptor } from '@grpc/grpc-js';
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Span,
  type TextMapGetter,
  type Tracer,
} from '@opentelemetry/api';
import { addressAttributes, endWith, methodOf, startAttributes } from './grpc-attributes.js';

const getter: TextMapGetter<Metadata> = {
  keys: (metadata) => Object.keys(metadata.getMap()),
  get: (metadata, key) => metadata.get(key)[0]?.toString(),
};

/** Makes a server span for each call, with a grpc-js interceptor. */
export function serverInterceptor(tracer: Tracer): ServerInterceptor {
  return (definition, call) => {
    const method = methodOf(definition.path);
    let inside = ROOT_CONTEXT;
    let span: Span | undefined;
    return new ServerInterceptingCall(call, {
      start(next) {
        next({
          onReceiveMetadata(metadata, next) {
            const parent = propagation.extract(ROOT_CONTEXT, metadata, getter);
            span = tracer.startSpan(method, { kind: SpanKind.SERVER, attributes: startAttributes(method) }, parent);
            inside = trace.setSpan(parent, span);
            context.with(inside, () => next(metadata));
          },
          onReceiveMessage: (message, next) => context.with(inside, () => next(message)),
          onReceiveHalfClose: (next) => context.with(inside, next),
          onCancel() {
            if (span?.isRecording()) endWith(span, { code: status.CANCELLED }, 'server');
          },
        });
      },
      sendStatus(sent, next) {
        next(sent);
        if (!span?.isRecording()) return;
        const { remoteAddress = '', remotePort = 0 } = call.getConnectionInfo();
        span.setAttributes({
          ...addressAttributes('server', call.getHost()),
          'client.address': remoteAddress,
          'network.peer.address': remoteAddress,
          'network.peer.port': remotePort,
        });
        endWith(span, sent, 'server');
      },
    });
  };
}
