import type { ModulesContainer } from '@nestjs/core';
import { context } from '@opentelemetry/api';
import { guarded } from '../../core/diagnostics.js';
import { isTracingSuppressed } from '../../core/suppression.js';
import type { ClientRequestOptions } from './client-request.js';
import { carriedContext, injectContext, type Headers } from './propagation.js';
import { RequestRules } from './rules.js';

/** A client of axios, as the `HttpService` of `@nestjs/axios` holds it. */
interface Axios {
  readonly interceptors: { readonly request: Interceptors };
  getUri(config: AxiosRequest): string;
}

interface Interceptors {
  use(
    onFulfilled: (config: AxiosRequest) => AxiosRequest,
    onRejected: null,
    options: { readonly synchronous: boolean },
  ): number;
  eject(id: number): void;
}

interface AxiosRequest {
  readonly method?: string;
  readonly headers: { get(name: string): unknown; set(name: string, value: string): unknown };
}

/**
 * Has the requests of every `HttpService` carry the context of whoever makes them, by an interceptor, until the returned
 * function is called. For a Node that announces requests only when their headers are written.
 */
export function propagateByAxios(modules: ModulesContainer, options: ClientRequestOptions): () => void {
  const clients = new Set<Axios>();
  for (const module of modules.values()) {
    for (const { instance } of module.providers.values()) {
      const client = axiosOf(instance);
      if (client) clients.add(client);
    }
  }
  const undos = [...clients].map((client) => {
    const { request } = client.interceptors;
    // Synchronous: the first that is not would have axios put all of them off.
    const id = request.use((config) => propagate(client, config, options), null, { synchronous: true });
    return () => request.eject(id);
  });
  return () => {
    for (const undo of undos) undo();
  };
}

function propagate(client: Axios, config: AxiosRequest, options: ClientRequestOptions): AxiosRequest {
  guarded('Propagation by axios', () => {
    const active = context.active();
    const headers = headersOf(config);
    if (isTracingSuppressed(active) || carriedContext(headers, active) !== 'none') return;
    const method = config.method?.toUpperCase() ?? 'GET';
    const rules = new RequestRules({ method, url: client.getUri(config) }, options);
    if (!rules.ignored && rules.propagates) injectContext(headers, active);
  });
  return config;
}

function headersOf({ headers }: AxiosRequest): Headers {
  return {
    header(name) {
      const value = headers.get(name);
      // Null and false stand for a header that is not to be sent.
      return typeof value === 'string' || Array.isArray(value) ? value : undefined;
    },
    setHeader: (name, value) => void headers.set(name, value),
  };
}

/** By what it can do: `@nestjs/axios` may not be installed, and its class may be there twice. */
function axiosOf(provider: unknown): Axios | undefined {
  try {
    const client = (provider as { axiosRef?: Axios } | null | undefined)?.axiosRef;
    const found = typeof client?.interceptors.request.use === 'function' && typeof client.getUri === 'function';
    return found ? client : undefined;
  } catch {
    return undefined; // A provider that does not let itself be looked at.
  }
}
