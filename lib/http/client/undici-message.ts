import type { IncomingResponse, OutgoingMessage } from './outgoing-message.js';
import { headerInText, withoutHeaders } from './header-text.js';
import { requestUrl } from './url.js';

type HeaderValue = string | string[];

/** A request of undici, or of the fetch that is built on it, as undici's channels provide it. */
export interface UndiciRequest {
  readonly origin: string | URL;
  readonly path: string;
  readonly method: string;
  /** A list of alternating names and values, which belongs to this request. Before undici 6, it is one text. */
  headers: HeaderValue[] | string;
  /** The protocol to which the connection is switched. */
  readonly upgrade?: string | boolean | null;
  addHeader(name: string, value: string): unknown;
}

/** The head of a response, as undici's channels provide it. */
export interface UndiciResponseHead {
  readonly statusCode: number;
  /** A list of alternating names and values; over HTTP/2, possibly an object of the values by name. */
  readonly headers: readonly (Buffer | string)[] | Readonly<Record<string, HeaderValue | undefined>>;
}

/** A request of undici. */
export class UndiciMessage implements OutgoingMessage {
  constructor(private readonly request: UndiciRequest) {}

  get method(): string {
    return this.request.method;
  }

  get url(): string {
    return requestUrl(this.origin, this.request.path);
  }

  get origin(): string {
    const { origin } = this.request;
    return typeof origin === 'string' ? origin : origin.origin;
  }

  header(name: string): HeaderValue | undefined {
    const { headers } = this.request;
    return typeof headers === 'string' ? headerInText(headers, name) : listedHeader(headers, name);
  }

  setHeader(name: string, value: string): void {
    this.request.addHeader(name, value);
  }

  // undici has a method to add a header, but none to remove one.
  replaceHeaders(remove: readonly string[], add: Readonly<Record<string, string>>): boolean {
    const { request } = this;
    if (typeof request.headers === 'string') request.headers = withoutHeaders(request.headers, remove);
    else removeFrom(request.headers, remove);
    if (remove.some((name) => this.header(name) !== undefined)) return false;
    for (const [name, value] of Object.entries(add)) request.addHeader(name, value);
    return true;
  }
}

/** The response to a request of undici. */
export class UndiciResponse implements IncomingResponse {
  constructor(private readonly response: UndiciResponseHead) {}

  get statusCode(): number {
    return this.response.statusCode;
  }

  header(name: string): HeaderValue | undefined {
    const { headers } = this.response;
    return isList(headers) ? listedHeader(headers, name) : headers[name];
  }
}

function isList(headers: UndiciResponseHead['headers']): headers is readonly (Buffer | string)[] {
  return Array.isArray(headers);
}

function removeFrom(headers: HeaderValue[], names: readonly string[]): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const present = String(headers[i]).toLowerCase();
    if (names.some((name) => name.toLowerCase() === present)) headers.splice(i, 2);
  }
}

/** The value of a header in a list of alternating names and values. It is a list if the header occurs several times. */
function listedHeader(headers: readonly (HeaderValue | Buffer)[], name: string): HeaderValue | undefined {
  const wanted = name.toLowerCase();
  const values: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (String(headers[i]).toLowerCase() !== wanted) continue;
    const value = headers[i + 1];
    if (Array.isArray(value)) values.push(...value);
    else values.push(String(value));
  }
  return values.length > 1 ? values : values[0];
}
