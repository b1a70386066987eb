import type { Headers, OutgoingMessage } from './outgoing-message.js';

/** A client of axios, as the `HttpService` of `@nestjs/axios` holds it. */
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

/** What axios is to send, as far as it has been made up when its interceptors are called. */
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

/** What a redirect is to send. */
export interface RedirectOptions {
  readonly method?: string;
  readonly href?: string;
  readonly headers: Record<string, string | string[] | undefined>;
}

/** By what it can do: `@nestjs/axios` may not be installed, and its class may be there twice. */
export function asAxios(value: unknown): Axios | undefined {
  try {
    const client = value as Axios | null | undefined;
    const found = typeof client?.interceptors.request.use === 'function' && typeof client.getUri === 'function';
    return found ? client : undefined;
  } catch {
    return undefined; // An object that does not let itself be looked at.
  }
}

/** A request of axios before it is sent. */
export function axiosMessage(client: Axios, config: AxiosConfig): OutgoingMessage {
  const { headers } = config;
  return messageTo(client.getUri(config), config.method, {
    header: (name) => headerValue(headers.get(name)),
    setHeader: (name, value) => void headers.set(name, value),
    replaceHeaders(remove, add) {
      for (const name of remove) headers.delete(name);
      for (const [name, value] of Object.entries(add)) headers.set(name, value);
      return true;
    },
  });
}

/** A redirect before it is sent. */
export function redirectMessage({ headers, href = '', method }: RedirectOptions): OutgoingMessage {
  const namesOf = (name: string) => Object.keys(headers).filter((it) => it.toLowerCase() === name.toLowerCase());
  return messageTo(href, method, {
    header: (name) => headerValue(headers[namesOf(name)[0] ?? name]),
    setHeader: (name, value) => void (headers[name] = value),
    replaceHeaders(remove, add) {
      for (const name of remove.flatMap(namesOf)) delete headers[name];
      for (const [name, value] of Object.entries(add)) headers[name] = value;
      return true;
    },
  });
}

function messageTo(url: string, method: string | undefined, headers: Headers): OutgoingMessage {
  const origin = URL.canParse(url) ? new URL(url).origin : '';
  return { ...headers, method: method?.toUpperCase() ?? 'GET', url, origin };
}

// Null and false stand for a header that is not to be sent.
function headerValue(value: unknown): string | string[] | undefined {
  return typeof value === 'string' || Array.isArray(value) ? (value as string | string[]) : undefined;
}
