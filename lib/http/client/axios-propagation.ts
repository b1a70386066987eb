import { guarded } from '../../core/diagnostics.js';
import { axiosMessage, redirectMessage, type Axios, type AxiosConfig, type BeforeRedirect } from './axios.js';
import { ClientRequest, type ClientRequestOptions } from './client-request.js';

/** The functions that stand before those which an application wants called when it is redirected. */
const originals = new WeakMap<BeforeRedirect, { readonly original: BeforeRedirect | undefined }>();

/** Clients that are prepared for, and by how many applications. */
const shared = new WeakMap<Axios, { users: number; readonly undo: () => void }>();

/**
 * Makes the span of each request of a client of axios before its headers are written, for a Node that announces requests
 * only afterwards. Returns how to undo it. Applications that share a client share what this does.
 */
export function prepareRequests(client: Axios, options: () => ClientRequestOptions | undefined): () => void {
  const use = shared.get(client) ?? { users: 0, undo: intercept(client, options) };
  shared.set(client, use);
  use.users++;
  return () => {
    if (--use.users > 0) return;
    shared.delete(client);
    use.undo();
  };
}

function intercept(client: Axios, options: () => ClientRequestOptions | undefined): () => void {
  const { request } = client.interceptors;
  const onRequest = (config: AxiosConfig) => {
    guarded('Propagation by axios', () => {
      const current = options();
      if (current) prepareAtLast(client, config, current);
    });
    return config;
  };
  // Synchronous: the first that is not would have axios put all of them off.
  const id = request.use(onRequest, null, { synchronous: true });
  return () => request.eject(id);
}

/** As the last transformation of the body, when all interceptors have had their say of where the request goes. */
function prepareAtLast(client: Axios, config: AxiosConfig, options: ClientRequestOptions): void {
  const { transformRequest: own } = config;
  const prepare = function (this: AxiosConfig, body: unknown): unknown {
    // Who sends the same configuration again finds it as it was.
    if (this.transformRequest === list) this.transformRequest = own;
    guarded('Propagation by axios', () => prepareRequest(client, this, options));
    return body;
  };
  const list = [own ?? [], prepare].flat();
  config.transformRequest = list;
}

function prepareRequest(client: Axios, config: AxiosConfig, options: ClientRequestOptions): void {
  const message = axiosMessage(client, config);
  if (!isSentByNode(client, config)) {
    ClientRequest.prepare(message, options);
    return;
  }
  ClientRequest.prepare(message, options, config);
  followRedirects(config, options);
}

/** True if the request comes to be one of Node's own clients. An adapter of the application may send it any other way. */
function isSentByNode({ defaults }: Axios, { adapter, httpVersion }: AxiosConfig): boolean {
  const adapters = [adapter ?? defaults?.adapter].flat();
  return Number(httpVersion ?? 1) < 2 && adapters.every((it) => typeof it === 'string');
}

/** A redirect is sent the headers of the request before it, whichever host it leads to. */
function followRedirects(config: AxiosConfig, options: ClientRequestOptions): void {
  const { beforeRedirect: given } = config;
  const original = given && originals.has(given) ? originals.get(given)?.original : given;
  const follow: BeforeRedirect = function (this: unknown, redirect, ...rest) {
    const result: unknown = original && Reflect.apply(original, this, [redirect, ...rest]);
    guarded('Propagation by axios', () => ClientRequest.prepare(redirectMessage(redirect), options, redirect));
    return result;
  };
  originals.set(follow, { original });
  config.beforeRedirect = follow;
}
