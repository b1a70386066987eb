import type { IncomingAnswer, OutgoingMessage } from './outgoing-message.js';
import { headerInText, withoutHeaders } from './header-text.js';
import { urlOf } from './url.js';

type HeaderValue = string | string[];

/** A request of undici, or of the fetch that is built on it, as its channels hand it out. */
export interface UndiciRequest {
  readonly origin: string | URL;
  readonly path: string;
  readonly method: string;
  /** Names and values in turn, in a list of the request's own; before undici 6 one text. */
  headers: HeaderValue[] | string;
  /** The protocol that the connection is to be taken over for. */
  readonly upgrade?: string | boolean | null;
  addHeader(name: string, value: string): unknown;
}

/** The head of an answer, as undici's channels hand it out. */
export interface UndiciResponse {
  readonly statusCode: number;
  /** Names and values in turn; over HTTP/2 also values by their names. */
  readonly headers: readonly (Buffer | string)[] | Readonly<Record<string, HeaderValue | undefined>>;
}

export class UndiciMessage implements OutgoingMessage {
  constructor(private readonly request: UndiciRequest) {}

  get method(): string {
    return this.request.method;
  }

  get url(): string {
    return urlOf(this.origin, this.request.path);
  }

  get origin(): string {
    const { origin } = this.request;
    return typeof origin === 'string' ? origin : origin.origin;
  }

  header(name: string): HeaderValue | undefined {
    const { headers } = this.request;
    return typeof headers === 'string' ? headerInText(headers, name) : valueOf(headers, name);
  }

  setHeader(name: string, value: string): void {
    this.request.addHeader(name, value);
  }

  // undici can add a header, but not take one out.
  replaceHeaders(remove: readonly string[], add: Readonly<Record<string, string>>): boolean {
    const { request } = this;
    if (typeof request.headers === 'string') request.headers = withoutHeaders(request.headers, remove);
    else removeFrom(request.headers, remove);
    if (remove.some((name) => this.header(name) !== undefined)) return false;
    for (const [name, value] of Object.entries(add)) request.addHeader(name, value);
    return true;
  }
}

export class UndiciAnswer implements IncomingAnswer {
  constructor(private readonly response: UndiciResponse) {}

  get statusCode(): number {
    return this.response.statusCode;
  }

  header(name: string): HeaderValue | undefined {
    const { headers } = this.response;
    return isList(headers) ? valueOf(headers, name) : headers[name];
  }
}

function isList(headers: UndiciResponse['headers']): headers is readonly (Buffer | string)[] {
  return Array.isArray(headers);
}

function removeFrom(headers: HeaderValue[], names: readonly string[]): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const present = String(headers[i]).toLowerCase();
    if (names.some((name) => name.toLowerCase() === present)) headers.splice(i, 2);
  }
}

/** The value of a header in a list of names and values; a list where it is there several times. */
function valueOf(headers: readonly (HeaderValue | Buffer)[], name: string): HeaderValue | undefined {
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
