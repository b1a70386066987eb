import { callSafely } from '../../core/diagnostics.js';
import { axiosMessage, redirectMessage, type Axios, type AxiosConfig, type BeforeRedirect } from './axios.js';
import { ClientRequest, type ClientRequestOptions } from './client-request.js';

/** Our own `beforeRedirect` functions, each with the application's function that it calls. */
const originalCallbacks = new WeakMap<BeforeRedirect, { readonly original: BeforeRedirect | undefined }>();

/** The clients that have our interceptor, with the number of applications that use it. */
const interceptedClients = new WeakMap<Axios, { users: number; readonly undo: () => void }>();

/**
 * Starts the span of each request of an axios client before the headers are written. It is for Node 20, whose diagnostics
 * channel announces requests only afterwards. Returns a function that undoes it. Applications that share a client share the
 * interceptor.
 */
export function prepareRequests(client: Axios, options: () => ClientRequestOptions | undefined): () => void {
  const use = interceptedClients.get(client) ?? { users: 0, undo: interceptRequests(client, options) };
  interceptedClients.set(client, use);
  use.users++;
  return () => {
    if (--use.users > 0) return;
    interceptedClients.delete(client);
    use.undo();
  };
}

function interceptRequests(client: Axios, options: () => ClientRequestOptions | undefined): () => void {
  const { request } = client.interceptors;
  const onRequest = (config: AxiosConfig) => {
    callSafely('Propagation by axios', () => {
      const current = options();
      if (current) prepareAfterInterceptors(client, config, current);
    });
    return config;
  };
  // Synchronous, because one asynchronous interceptor makes axios call all interceptors later.
  const id = request.use(onRequest, null, { synchronous: true });
  return () => request.eject(id);
}

/** Adds a last transformation of the body: it runs after all interceptors, which may change where the request is sent to. */
function prepareAfterInterceptors(client: Axios, config: AxiosConfig, options: ClientRequestOptions): void {
  const { transformRequest: original } = config;
  const prepare = function (this: AxiosConfig, body: unknown): unknown {
    // The application may use the same configuration for another request.
    if (this.transformRequest === transformations) this.transformRequest = original;
    callSafely('Propagation by axios', () => prepareRequest(client, this, options));
    return body;
  };
  const transformations = [original ?? [], prepare].flat();
  config.transformRequest = transformations;
}

function prepareRequest(client: Axios, config: AxiosConfig, options: ClientRequestOptions): void {
  const message = axiosMessage(client, config);
  if (!isSentByNode(client, config)) {
    ClientRequest.prepare(message, options);
    return;
  }
  ClientRequest.prepare(message, options, config);
  prepareRedirects(config, options);
}

/** True if axios sends the request with `node:http`. An adapter of the application may send it in any other way. */
function isSentByNode({ defaults }: Axios, { adapter, httpVersion }: AxiosConfig): boolean {
  const adapters = [adapter ?? defaults?.adapter].flat();
  return Number(httpVersion ?? 1) < 2 && adapters.every((name) => typeof name === 'string');
}

/** Prepares each redirect as well: it would be sent with the trace headers of the request before it, to any host. */
function prepareRedirects(config: AxiosConfig, options: ClientRequestOptions): void {
  const { beforeRedirect: current } = config;
  const original = current && originalCallbacks.has(current) ? originalCallbacks.get(current)?.original : current;
  const prepare: BeforeRedirect = function (this: unknown, redirect, ...rest) {
    const result: unknown = original && Reflect.apply(original, this, [redirect, ...rest]);
    callSafely('Propagation by axios', () => ClientRequest.prepare(redirectMessage(redirect), options, redirect));
    return result;
  };
  originalCallbacks.set(prepare, { original });
  config.beforeRedirect = prepare;
}
