import type { Headers, OutgoingMessage } from './outgoing-message.js';

/** The part of an axios client that the library uses. The `HttpService` of `@nestjs/axios` holds such a client. */
export interface Axios {
  readonly interceptors: { readonly request: Interceptors };
  readonly defaults?: { readonly adapter?: unknown };
  getUri(config: AxiosConfig): string;
}

interface Interceptors {
  use(
    onFulfilled: (config: AxiosConfig) => AxiosConfig,
    onRejected: null,
    options: { readonly synchronous: boolean },
  ): number;
  eject(id: number): void;
}

/** The configuration of a request, as interceptors get it. */
export interface AxiosConfig {
  readonly method?: string;
  readonly adapter?: unknown;
  readonly httpVersion?: unknown;
  readonly headers: AxiosHeaders;
  transformRequest?: unknown;
  beforeRedirect?: BeforeRedirect;
}

interface AxiosHeaders {
  get(name: string): unknown;
  set(name: string, value: string): unknown;
  delete(name: string): unknown;
}

export type BeforeRedirect = (options: RedirectOptions, ...rest: unknown[]) => unknown;

/** The options of a redirect, as `beforeRedirect` gets them. */
export interface RedirectOptions {
  readonly method?: string;
  readonly href?: string;
  readonly headers: Record<string, string | string[] | undefined>;
}

/**
 * Returns the value if it is an axios client. It is recognized by its methods and not by its class: `@nestjs/axios` may not be
 * installed, or be installed twice.
 */
export function asAxios(value: unknown): Axios | undefined {
  try {
    const client = value as Axios | null | undefined;
    const isAxios = typeof client?.interceptors.request.use === 'function' && typeof client.getUri === 'function';
    return isAxios ? client : undefined;
  } catch {
    return undefined; // A getter or a proxy has thrown.
  }
}

/** A request of axios that is not sent yet. */
export function axiosMessage(client: Axios, config: AxiosConfig): OutgoingMessage {
  const { headers } = config;
  return createMessage(client.getUri(config), config.method, {
    header: (name) => sentHeaderValue(headers.get(name)),
    setHeader: (name, value) => void headers.set(name, value),
    replaceHeaders(remove, add) {
      for (const name of remove) headers.delete(name);
      for (const [name, value] of Object.entries(add)) headers.set(name, value);
      return true;
    },
  });
}

/** A redirect that is not sent yet. */
export function redirectMessage({ headers, href = '', method }: RedirectOptions): OutgoingMessage {
  const spellings = (name: string) => Object.keys(headers).filter((key) => key.toLowerCase() === name.toLowerCase());
  return createMessage(href, method, {
    header: (name) => sentHeaderValue(headers[spellings(name)[0] ?? name]),
    setHeader: (name, value) => void (headers[name] = value),
    replaceHeaders(remove, add) {
      for (const name of remove.flatMap(spellings)) delete headers[name];
      for (const [name, value] of Object.entries(add)) headers[name] = value;
      return true;
    },
  });
}

function createMessage(url: string, method: string | undefined, headers: Headers): OutgoingMessage {
  const origin = URL.canParse(url) ? new URL(url).origin : '';
  return { ...headers, method: method?.toUpperCase() ?? 'GET', url, origin };
}

/** The value of a header. Undefined for null and false, with which axios does not send the header. */
function sentHeaderValue(value: unknown): string | string[] | undefined {
  return typeof value === 'string' || Array.isArray(value) ? (value as string | string[]) : undefined;
}
