import { withInterceptor } from './client-options.js';
import type { ClientInterceptor, ClientOptions } from './grpc-js.js';

/** Where a client of grpc-js keeps what its options said of interceptors: under symbols of its own, read by each call. */
interface InterceptorFields {
  readonly interceptors: symbol;
  readonly providers: symbol;
  readonly transformer: symbol;
}

/**
 * Gives the interceptor to a client of a service that grpc-js has made, for the calls that it makes from now on. Neither its
 * options nor its methods change, so mocks and spies of them work as without tracing.
 *
 * @returns false where the client is not as grpc-js makes it
 */
export function traceServiceClient(client: object, interceptor: ClientInterceptor): boolean {
  const fields = fieldsOf(client);
  if (!fields) return false;
  const values = client as Record<symbol, unknown>;
  const given = {
    interceptors: values[fields.interceptors],
    interceptor_providers: values[fields.providers],
    callInvocationTransformer: values[fields.transformer],
  } as ClientOptions;
  const traced = withInterceptor(given, interceptor);
  values[fields.interceptors] = traced.interceptors;
  values[fields.providers] = traced.interceptor_providers;
  values[fields.transformer] = traced.callInvocationTransformer;
  return true;
}

// The symbols have no names. They are known by their order, and by the channel that follows them.
function fieldsOf(client: object): InterceptorFields | undefined {
  const symbols = Object.getOwnPropertySymbols(client);
  const values = symbols.map((symbol) => Object.getOwnPropertyDescriptor(client, symbol)?.value as unknown);
  const first = values.findIndex(
    (value, index) =>
      Array.isArray(value) &&
      Array.isArray(values[index + 1]) &&
      ['undefined', 'function'].includes(typeof values[index + 2]) &&
      isChannel(values[index + 3]),
  );
  const [interceptors, providers, transformer] = symbols.slice(first, first + 3);
  return first >= 0 && interceptors && providers && transformer ? { interceptors, providers, transformer } : undefined;
}

function isChannel(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'createCall' in value && 'getTarget' in value;
}
