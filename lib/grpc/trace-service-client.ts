import { withTracingInterceptor } from './client-options.js';
import type { ClientInterceptor, ClientOptions } from './grpc-js.js';

/** The symbols under which a client of grpc-js keeps the interceptors of its options. Each call reads them. */
interface InterceptorFields {
  readonly interceptors: symbol;
  readonly providers: symbol;
  readonly transformer: symbol;
}

/**
 * Adds the interceptor to a service client of grpc-js, for its calls from now on. Neither its options nor its methods change, so mocks and
 * spies of them work as without tracing.
 *
 * @returns false if the client does not have the fields that grpc-js gives it
 */
export function traceServiceClient(client: object, interceptor: ClientInterceptor): boolean {
  const fields = fieldsOf(client);
  if (!fields) return false;
  const values = client as Record<symbol, unknown>;
  const original = {
    interceptors: values[fields.interceptors],
    interceptor_providers: values[fields.providers],
    callInvocationTransformer: values[fields.transformer],
  } as ClientOptions;
  const traced = withTracingInterceptor(original, interceptor);
  values[fields.interceptors] = traced.interceptors;
  values[fields.providers] = traced.interceptor_providers;
  values[fields.transformer] = traced.callInvocationTransformer;
  return true;
}

// The symbols have no descriptions. They are recognized by their order, and by the channel that follows them.
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
