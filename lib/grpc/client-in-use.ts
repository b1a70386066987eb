import { tracedCallOptions } from './client-options.js';
import type { ClientInterceptor, InterceptorOptions, ServiceClient, ServiceMethod } from './grpc-js.js';

/**
 * Has a client traced that grpc-js has made already, so that nobody reads its options any more: each of its methods is
 * covered by one of its own, which gives the interceptor to every call.
 *
 * @param ofClient the interceptors that the client was made with
 */
export function traceClientInUse(
  client: ServiceClient,
  ofClient: InterceptorOptions,
  interceptor: ClientInterceptor,
): void {
  const traced = (options: InterceptorOptions) => tracedCallOptions(options, ofClient, interceptor);
  const prototype = Object.getPrototypeOf(client) as ServiceClient;
  for (const name of Object.keys(prototype)) {
    const method = prototype[name];
    if (typeof method !== 'function' || !('path' in method)) continue;
    const own = (...args: unknown[]) => method.apply(client, withCallOptions(method, args, traced));
    // Nest looks at what kind of method it is.
    client[name] = Object.assign(own, method);
  }
}

/** The same arguments, with other options of the call; grpc-js takes them in several orders. */
function withCallOptions(
  { requestStream, responseStream }: ServiceMethod,
  args: readonly unknown[],
  change: (options: InterceptorOptions) => InterceptorOptions,
): unknown[] {
  const message = requestStream ? [] : args.slice(0, 1);
  const rest = args.slice(message.length);
  const metadata = isMetadata(rest[0]) ? rest.splice(0, 1) : [];
  const hasOptions = typeof rest[0] !== 'function' && (responseStream || rest.length > 1);
  const options = hasOptions ? rest.splice(0, 1)[0] : {};
  // What grpc-js refuses, it is to refuse in its own words.
  const changed = isObject(options) ? change(options) : responseStream && !options ? change({}) : options;
  return [...message, ...metadata, changed, ...rest];
}

function isMetadata(value: unknown): boolean {
  return isObject(value) && 'getMap' in value && 'clone' in value;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
