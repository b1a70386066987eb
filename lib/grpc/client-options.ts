import { contextInterceptor } from './client-context.js';
import type { CallProperties, ClientInterceptor, ClientOptions, InterceptorOptions } from './grpc-js.js';

/** What traces: interceptors, and the transformers that put one in front of those of a call. */
const tracing = new WeakSet<object>();

/** Marks what traces, of which no call needs two. */
export function markTracing<T extends object>(it: T): T {
  tracing.add(it);
  return it;
}

/** The same options with a tracing interceptor in front of theirs, so that it sees a call as the application does. */
export function withInterceptor<T extends ClientOptions>(options: T, interceptor: ClientInterceptor): T {
  const { callInvocationTransformer: theirs } = options;
  if (theirs && tracing.has(theirs)) return options;
  return {
    ...(hasTracing(options) ? options : around(options, interceptor)),
    // Interceptors given to a call take the place of the client's.
    callInvocationTransformer: markTracing(function (this: unknown, properties: CallProperties): CallProperties {
      const call: CallProperties = theirs ? theirs.call(this, properties) : properties;
      const { callOptions } = call;
      // A caller may have written undefined: grpc-js has its own words for that.
      if (!callOptions || !hasAny(callOptions) || hasTracing(callOptions)) return call;
      return { ...call, callOptions: around(callOptions, interceptor) };
    }),
  };
}

function around<T extends InterceptorOptions>(options: T, interceptor: ClientInterceptor): T {
  const { interceptors, providers } = givenIn(options);
  if (!hasAny(options)) return { ...options, interceptors: [interceptor] };
  // grpc-js takes interceptors or their providers, not both.
  return providers.length > 0
    ? { ...options, interceptor_providers: [() => interceptor, ...providers, () => contextInterceptor] }
    : { ...options, interceptors: [interceptor, ...interceptors, contextInterceptor] };
}

function hasAny(options: InterceptorOptions): boolean {
  const { interceptors, providers } = givenIn(options);
  return interceptors.length + providers.length > 0;
}

function hasTracing(options: InterceptorOptions): boolean {
  return givenIn(options).interceptors.some((it) => tracing.has(it));
}

function givenIn({ interceptors, interceptor_providers: providers }: InterceptorOptions) {
  return { interceptors: interceptors ?? [], providers: providers ?? [] };
}
