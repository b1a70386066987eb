import type { ModulesContainer } from '@nestjs/core';
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

/**
 * Has every gRPC transport of the application traced, also those that are connected later.
 *
 * @param attached called for each of them, before Nest registers its handlers
 */
export function traceGrpcServers(
  modules: ModulesContainer,
  interceptor: ServerInterceptor,
  attached: () => void,
): void {
  // Public, but young: a release without it serves untraced.
  const { getRpcTargetRegistry: registry } = modules as Partial<ModulesContainer>;
  registry?.call(modules).subscribe((transport: unknown) => {
    if (!isGrpcServer(transport)) return;
    traceServer(transport, interceptor);
    attached();
  });
}

function traceServer(server: GrpcServer, interceptor: ServerInterceptor): void {
  const options = withInterceptor(server.options ?? {}, interceptor);
  guarded('Tracing a gRPC server', () => (server.options = options));
  if (server.options === options) return;
  warn('nest-hooks', 'A gRPC server cannot be traced: it does not take other options.');
}

/** The same options, with one more interceptor. They inherit from those given, which may change until the server listens. */
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
