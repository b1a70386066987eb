import type { ClientRequest as NodeRequest, IncomingMessage } from 'node:http';
import { requestDestination, type Destination } from './destination.js';
import { headerInText, withoutHeaders } from './header-text.js';
import type { IncomingResponse, OutgoingMessage } from './outgoing-message.js';
import { requestUrl } from './url.js';

/** Undocumented properties of Node's requests. */
interface Undocumented {
  /** The text of the head, once it is written. */
  readonly _header?: string | null;
  /** True if the head was passed to the connection, or to the output that waits for one. */
  readonly _headerSent?: boolean;
  /** The output that waits for a connection. It begins with the head. */
  readonly outputData?: { data: unknown }[];
  /** The size of that output. */
  outputSize?: number;
}

/** A request of `node:http` or `node:https`. */
export class NodeMessage implements OutgoingMessage {
  private readonly destination: Destination;

  constructor(private readonly request: NodeRequest & Undocumented) {
    this.destination = requestDestination(request);
  }

  get method(): string {
    return this.request.method;
  }

  get url(): string {
    return requestUrl(this.origin, this.request.path);
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
    // Node writes headers that are given as a list into the head at once, and stores them nowhere else.
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

  /** Changes a head that is written but not sent yet: it waits for the body, the end of the request, or a connection. */
  private rewriteHead(remove: readonly string[], add: Readonly<Record<string, string>>): boolean {
    const { request } = this;
    const { _header: head, _headerSent: isPassedOn, outputData: waitingOutput } = request;
    const [first] = waitingOutput ?? [];
    if (!head?.endsWith('\r\n\r\n')) return false;
    if (isPassedOn && !(typeof first?.data === 'string' && first.data.startsWith(head))) return false;
    const lines = Object.entries(add).map(([name, value]) => `${name}: ${value}\r\n`);
    const remainingHead = withoutHeaders(head, [...remove, ...Object.keys(add)]);
    const newHead = `${remainingHead.slice(0, -'\r\n'.length)}${lines.join('')}\r\n`;
    const change: Undocumented = { _header: newHead };
    Object.assign(request, change);
    if (!isPassedOn || !first) return true;
    first.data = newHead + String(first.data).slice(head.length);
    if (request.outputSize !== undefined) request.outputSize += newHead.length - head.length;
    return true;
  }
}

/** The response to a request of `node:http` or `node:https`. */
export class NodeResponse implements IncomingResponse {
  constructor(private readonly response: IncomingMessage) {}

  get statusCode(): number | undefined {
    return this.response.statusCode;
  }

  header(name: string): string | string[] | undefined {
    return this.response.headers[name];
  }
}
