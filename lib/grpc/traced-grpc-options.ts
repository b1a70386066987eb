import { currentMeter } from '../core/measured-applications.js';
import { resolveGrpc } from '../options/grpc.js';
import type { GrpcOptions } from '../options/grpc.js';
import { clientInterceptor } from './client-interceptor.js';
import { markTracing, withTracingInterceptor } from './client-options.js';
import type { ClientInterceptor, ClientOptions } from './grpc-js.js';
import { clientCallMetrics } from '../core/rpc-metrics.js';

/** An interceptor for the `interceptors` option of a grpc-js client. */
export type GrpcTracingInterceptor = <Options, Call, Intercepting extends Call>(
  options: Options,
  nextCall: (options: Options) => Call,
) => Intercepting;

/**
 * Returns an interceptor that traces the calls of a grpc-js client which Nest has not created. Interceptors that are given to a single call
 * replace those of the client, so they need this one as well.
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
 * Returns the options of a Nest gRPC client with tracing. `TracingModule` finds the clients in dependency injection by itself; this function
 * is for clients outside of it, and for clients that are created later, for a request say.
 *
 * @example
 * ```ts
 * ClientProxyFactory.create({ transport: Transport.GRPC, options: tracedGrpcOptions({ package: 'shop', protoPath, url }) })
 * ```
 * @throws TracingConfigurationError
 */
export function tracedGrpcOptions<T extends object>(clientOptions: T, options?: GrpcOptions): T {
  const { channelOptions } = clientOptions as { readonly channelOptions?: ClientOptions };
  return {
    ...clientOptions,
    channelOptions: withTracingInterceptor(channelOptions ?? {}, tracingInterceptor(options)),
  };
}

function tracingInterceptor(options: GrpcOptions = {}): ClientInterceptor {
  const meter = () => currentMeter(clientCallMetrics);
  // The options of the application are not known here, and its sampler may read attributes.
  return markTracing(clientInterceptor({ ...resolveGrpc(options), areAttributesReadAtStart: true, meter }));
}
