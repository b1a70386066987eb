import type { ClientRequest as NodeRequest, IncomingMessage } from 'node:http';
import { destinationOf, type Destination } from './destination.js';
import { headerInText, withoutHeaders } from './header-text.js';
import type { IncomingAnswer, OutgoingMessage } from './outgoing-message.js';
import { urlOf } from './url.js';

/** What Node's requests have beside what is documented. */
interface Undocumented {
  /** The head as it is sent, as soon as it is written. */
  readonly _header?: string | null;
  /** Whether the head was handed to the connection, or to what waits for one. */
  readonly _headerSent?: boolean;
  /** What waits for a connection, the head at first. */
  readonly outputData?: { data: unknown }[];
  /** Characters and bytes of that. */
  outputSize?: number;
}

export class NodeMessage implements OutgoingMessage {
  private readonly destination: Destination;

  constructor(private readonly request: NodeRequest & Undocumented) {
    this.destination = destinationOf(request);
  }

  get method(): string {
    return this.request.method;
  }

  get url(): string {
    return urlOf(this.origin, this.request.path);
  }

  get origin(): string {
    return this.destination.origin;
  }

  get hasUnknownPort(): boolean {
    return this.destination.hasUnknownPort;
  }

  get socketPath(): string | undefined {
    return this.destination.socketPath;
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

  replaceHeaders(remove: readonly string[], add: Readonly<Record<string, string>>): boolean {
    const { request } = this;
    if (request.headersSent) return this.rewriteHead(remove, add);
    for (const name of remove) request.removeHeader(name);
    for (const [name, value] of Object.entries(add)) request.setHeader(name, value);
    return true;
  }

  /** Changes a head that is written, but that waits for the body, the end of the request, or a connection. */
  private rewriteHead(remove: readonly string[], add: Readonly<Record<string, string>>): boolean {
    const { request } = this;
    const { _header: head, _headerSent: sent, outputData: waiting } = request;
    const [first] = waiting ?? [];
    if (!head?.endsWith('\r\n\r\n')) return false;
    if (sent && !(typeof first?.data === 'string' && first.data.startsWith(head))) return false;
    const lines = Object.entries(add).map(([name, value]) => `${name}: ${value}\r\n`);
    const kept = withoutHeaders(head, [...remove, ...Object.keys(add)]);
    const written = `${kept.slice(0, -'\r\n'.length)}${lines.join('')}\r\n`;
    const rewritten: Undocumented = { _header: written };
    Object.assign(request, rewritten);
    if (!sent || !first) return true;
    first.data = written + String(first.data).slice(head.length);
    if (request.outputSize !== undefined) request.outputSize += written.length - head.length;
    return true;
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
