import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** A span of OTLP in JSON, with its attributes as an object, and with its resource and scope. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Record<string, unknown>;
  readonly events: { readonly name: string; readonly timeUnixNano: string }[];
  readonly links: { readonly traceId: string; readonly spanId: string }[];
  readonly resource: Record<string, unknown>;
  readonly scope: string;
}

export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly at: number;
}

/** The answer of the receiver to an export. */
type Answer = 'accept' | 'refuse' | 'silence';

/** A receiver of OTLP over HTTP on its own port, which stores the requests. */
export class OtlpReceiver {
  readonly requests: ReceivedRequest[] = [];
  #wake: (() => void)[] = [];

  private constructor(
    private readonly server: Server,
    private readonly sockets: Set<Socket>,
  ) {}

  static async start(answer: Answer = 'accept'): Promise<OtlpReceiver> {
    const sockets = new Set<Socket>();
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const sent = Buffer.concat(chunks);
        const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
        receiver.requests.push({ path: request.url ?? '', headers: request.headers, body, at: performance.now() });
        for (const wake of receiver.#wake.splice(0)) wake();
        if (answer === 'silence') return;
        response.writeHead(answer === 'accept' ? 200 : 400, { 'content-type': request.headers['content-type'] });
        response.end(request.headers['content-type'] === 'application/json' ? '{}' : undefined);
      });
    });
    server.on('connection', (socket) => sockets.add(socket));
    const receiver = new OtlpReceiver(server, sockets);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The spans of every request in JSON. */
  get spans(): ReceivedSpan[] {
    return this.requests.flatMap(({ body }) => spansOf(JSON.parse(body.toString()) as OtlpJson));
  }

  /** Resolves when this many requests have arrived. */
  async received(count: number): Promise<void> {
    while (this.requests.length < count) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

interface KeyValue {
  key: string;
  value: Record<string, unknown>;
}

interface OtlpJson {
  resourceSpans: {
    resource: { attributes: KeyValue[] };
    scopeSpans: {
      scope: { name: string };
      spans: (Omit<ReceivedSpan, 'attributes' | 'resource' | 'scope'> & { attributes: KeyValue[] })[];
    }[];
  }[];
}

function spansOf({ resourceSpans }: OtlpJson): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        ...span,
        attributes: toObject(span.attributes),
        resource: toObject(resource.attributes),
        scope: scope.name,
      })),
    ),
  );
}

function toObject(attributes: KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
