import { guarded, warn } from '../core/diagnostics.js';
import type { ServerInterceptor } from './grpc-js.js';

/** `Transport.GRPC` of @nestjs/microservices. */
const GRPC = 4;

interface ServerOptions {
  readonly channelOptions?: { readonly interceptors?: readonly ServerInterceptor[] };
}

/** Nest's gRPC transport, as far as tracing uses it. It makes the server of grpc-js when it begins to listen. */
interface GrpcServer {
  readonly transportId: typeof GRPC;
  options?: ServerOptions;
}

/** Instruments a transport of the application, if it is a gRPC server. Call it before the server listens. */
export function traceGrpcServer(transport: unknown, interceptor: ServerInterceptor): void {
  if (!isGrpcServer(transport)) return;
  const options = withInterceptor(transport.options ?? {}, interceptor);
  guarded('Tracing a gRPC server', () => (transport.options = options));
  if (transport.options === options) return;
  warn('nest-hooks', 'A gRPC server cannot be traced: it does not take other options.');
}

/** Returns the same options, with one more interceptor. They inherit from those given, which may change until the server listens. */
function withInterceptor(given: ServerOptions, interceptor: ServerInterceptor): ServerOptions {
  return Object.create(given, {
    channelOptions: {
      enumerable: true,
      configurable: true,
      get() {
        const { channelOptions } = given;
        // In front, which is nearest the wire.
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
