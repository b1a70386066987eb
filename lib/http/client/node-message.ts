import type { ClientRequest as NodeRequest, IncomingMessage } from 'node:http';
import { headerInText } from './header-text.js';
import type { IncomingAnswer, OutgoingMessage } from './outgoing-message.js';
import { urlOf } from './url.js';

/** What Node's requests have beside what is documented. */
interface Undocumented {
  readonly socketPath?: string;
  /** The head as it is sent, as soon as it is written. */
  readonly _header?: string | null;
}

export class NodeMessage implements OutgoingMessage {
  constructor(private readonly request: NodeRequest & Undocumented) {}

  get method(): string {
    return this.request.method;
  }

  get url(): string {
    const { host, path, protocol } = this.request;
    const stated = this.header('host');
    // Without a Host header the port is not to be learnt.
    return urlOf(`${protocol}//${stated?.toString() ?? (host.includes(':') ? `[${host}]` : host)}`, path);
  }

  get socketPath(): string | undefined {
    return this.request.socketPath;
  }

  header(name: string): string | string[] | undefined {
    const { request } = this;
    const value = request.getHeader(name);
    if (value !== undefined) return typeof value === 'number' ? String(value) : value;
    // Headers that were given as a list are written at once, and nowhere else.
    const { _header: head } = request;
    return head && request.getHeaderNames().length === 0 ? headerInText(head, name) : undefined;
  }

  setHeader(name: string, value: string): void {
    if (!this.request.headersSent) this.request.setHeader(name, value);
  }
}

export class NodeAnswer implements IncomingAnswer {
  constructor(private readonly response: IncomingMessage) {}

  get statusCode(): number | undefined {
    return this.response.statusCode;
  }

  header(name: string): string | string[] | undefined {
    return this.response.headers[name];
  }
}
