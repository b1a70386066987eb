import type { CallProperties, ClientInterceptor, ClientOptions, InterceptorOptions } from './grpc-js.js';

const tracing = new WeakSet<ClientInterceptor>();

/** Marks an interceptor as one that traces, of which no call needs two. */
export function markTracing<T extends ClientInterceptor>(interceptor: T): T {
  tracing.add(interceptor);
  return interceptor;
}

/** The same options with a tracing interceptor in front of theirs, so that it sees a call as the application does. */
export function withInterceptor<T extends ClientOptions>(options: T, interceptor: ClientInterceptor): T {
  if (isTraced(options)) return options;
  const { callInvocationTransformer: theirs } = options;
  return {
    ...inFront(options, interceptor),
    // Interceptors given to a call take the place of the client's.
    callInvocationTransformer(properties: CallProperties) {
      const call = theirs ? theirs(properties) : properties;
      if (!hasAny(call.callOptions) || isTraced(call.callOptions)) return call;
      return { ...call, callOptions: inFront(call.callOptions, interceptor) };
    },
  };
}

// grpc-js takes interceptors or their providers, not both.
function inFront<T extends InterceptorOptions>(options: T, interceptor: ClientInterceptor): T {
  const { interceptors = [], interceptor_providers: providers = [] } = options;
  return providers.length > 0
    ? { ...options, interceptor_providers: [() => interceptor, ...providers] }
    : { ...options, interceptors: [interceptor, ...interceptors] };
}

function hasAny({ interceptors = [], interceptor_providers: providers = [] }: InterceptorOptions): boolean {
  return interceptors.length + providers.length > 0;
}

function isTraced({ interceptors = [] }: InterceptorOptions): boolean {
  return interceptors.some((interceptor) => tracing.has(interceptor));
}
