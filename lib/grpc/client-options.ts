import { contextInterceptor } from './client-context.js';
import type { CallProperties, ClientInterceptor, ClientOptions, InterceptorOptions } from './grpc-js.js';

/** The interceptors that trace, and the transformers that add one to a call. */
const tracingFunctions = new WeakSet<object>();

/** Marks an interceptor or a transformer as one that traces, so that no call gets two. */
export function markTracing<T extends object>(fn: T): T {
  tracingFunctions.add(fn);
  return fn;
}

/** Returns the options with a tracing interceptor before the others, so that it sees a call as the application does. */
export function withTracingInterceptor<T extends ClientOptions>(options: T, interceptor: ClientInterceptor): T {
  const { callInvocationTransformer: transform } = options;
  if (transform && tracingFunctions.has(transform)) return options;
  return {
    ...(hasTracing(options) ? options : prependInterceptor(options, interceptor)),
    // Interceptors that are given to a call replace those of the client.
    callInvocationTransformer: markTracing(function (this: unknown, properties: CallProperties): CallProperties {
      const call: CallProperties = transform ? transform.call(this, properties) : properties;
      const { callOptions } = call;
      // The application may pass undefined: grpc-js then throws its own error.
      if (!callOptions || !hasInterceptors(callOptions) || hasTracing(callOptions)) return call;
      return { ...call, callOptions: prependInterceptor(callOptions, interceptor) };
    }),
  };
}

function prependInterceptor<T extends InterceptorOptions>(options: T, interceptor: ClientInterceptor): T {
  const { interceptors, providers } = interceptorsOf(options);
  if (!hasInterceptors(options)) return { ...options, interceptors: [interceptor] };
  // grpc-js accepts interceptors or their providers, but not both.
  return providers.length > 0
    ? { ...options, interceptor_providers: [() => interceptor, ...providers, () => contextInterceptor] }
    : { ...options, interceptors: [interceptor, ...interceptors, contextInterceptor] };
}

function hasInterceptors(options: InterceptorOptions): boolean {
  const { interceptors, providers } = interceptorsOf(options);
  return interceptors.length + providers.length > 0;
}

function hasTracing(options: InterceptorOptions): boolean {
  return interceptorsOf(options).interceptors.some((interceptor) => tracingFunctions.has(interceptor));
}

function interceptorsOf({ interceptors, interceptor_providers: providers }: InterceptorOptions) {
  return { interceptors: interceptors ?? [], providers: providers ?? [] };
}
