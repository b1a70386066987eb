import { currentMeter } from '../core/measured-applications.js';
import { resolveGrpc } from '../options/grpc.js';
import type { GrpcOptions } from '../options/grpc.js';
import { clientInterceptor } from './client-interceptor.js';
import { markTracing, withInterceptor } from './client-options.js';
import type { ClientInterceptor, ClientOptions } from './grpc-js.js';
import { clientCallMetrics } from './metrics.js';

/** An interceptor for clients of grpc-js: what its `interceptors` option takes. */
export type GrpcTracingInterceptor = <Options, Call, Intercepting extends Call>(
  options: Options,
  nextCall: (options: Options) => Call,
) => Intercepting;

/**
 * Traces the calls of a grpc-js client that Nest does not know of. Interceptors that are given to a single call take the
 * place of the client's, so they need this one, too.
 *
 * @example
 * ```ts
 * new OrdersClient(url, credentials, { interceptors: [grpcTracingInterceptor()] })
 * ```
 * @throws TracingConfigurationError
 */
export function grpcTracingInterceptor(options?: GrpcOptions): GrpcTracingInterceptor {
  return tracingInterceptor(options) as unknown as GrpcTracingInterceptor;
}

/**
 * The options of a Nest gRPC client, with tracing. `TracingModule` finds the clients in DI by itself; this is for those
 * outside DI, and for those that are made later, for a request say.
 *
 * @example
 * ```ts
 * ClientProxyFactory.create({ transport: Transport.GRPC, options: tracedGrpcOptions({ package: 'shop', protoPath, url }) })
 * ```
 * @throws TracingConfigurationError
 */
export function tracedGrpcOptions<T extends object>(clientOptions: T, options?: GrpcOptions): T {
  const { channelOptions } = clientOptions as { readonly channelOptions?: ClientOptions };
  return { ...clientOptions, channelOptions: withInterceptor(channelOptions ?? {}, tracingInterceptor(options)) };
}

function tracingInterceptor(options: GrpcOptions = {}): ClientInterceptor {
  return markTracing(clientInterceptor({ ...resolveGrpc(options), meter: () => currentMeter(clientCallMetrics) }));
}
