import { callSafely, warn } from '../core/diagnostics.js';
import type { ServerInterceptor } from './grpc-js.js';

/** The value of `Transport.GRPC` of @nestjs/microservices. */
const GRPC = 4;

interface ServerOptions {
  readonly channelOptions?: { readonly interceptors?: readonly ServerInterceptor[] };
}

/** The members of Nest's gRPC transport that are used here. It creates the server of grpc-js when it starts to listen. */
interface GrpcServer {
  readonly transportId: typeof GRPC;
  options?: ServerOptions;
}

/** Instruments a transport of the application, if it is a gRPC server. Call it before the server listens. */
export function traceGrpcServer(transport: unknown, interceptor: ServerInterceptor): void {
  if (!isGrpcServer(transport)) return;
  const options = withServerInterceptor(transport.options ?? {}, interceptor);
  callSafely('Tracing a gRPC server', () => (transport.options = options));
  if (transport.options === options) return;
  warn('nest-hooks', 'A gRPC server cannot be traced: it does not accept other options.');
}

/** Returns options with one more interceptor. They inherit from the original options, which may change until the server listens. */
function withServerInterceptor(original: ServerOptions, interceptor: ServerInterceptor): ServerOptions {
  return Object.create(original, {
    channelOptions: {
      enumerable: true,
      configurable: true,
      get() {
        const { channelOptions } = original;
        // The first interceptor is the one nearest to the wire.
        return { ...channelOptions, interceptors: [interceptor, ...(channelOptions?.interceptors ?? [])] };
      },
    },
  }) as ServerOptions;
}

function isGrpcServer(transport: unknown): transport is GrpcServer {
  return (
    typeof transport === 'object' && transport !== null && 'transportId' in transport && transport.transportId === GRPC
  );
}
