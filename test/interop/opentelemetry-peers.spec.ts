import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Apps } from '../support/apps.js';
import type { Seen, Via } from './apps/peers/relay.js';
import { drawTrace, Peers, type ServiceOptions } from './support/peers.js';

const CALLER = '00000000000000cc';
const ways: readonly Via[] = ['fetch', 'node:http', 'unary', 'server stream'];
const stock = ['http', 'undici', 'grpc'] as const;

/** A request to one of two services, which then call each other in turn. */
interface Request {
  readonly to: string;
  readonly hops: readonly Via[];
  readonly sampled: boolean;
}

interface Visited {
  readonly traceId: string;
  readonly seen: readonly Seen[];
  readonly trace: readonly string[];
}

let apps: Apps;
beforeAll(() => void (apps = new Apps('test/interop/apps')));
afterAll(() => apps.remove());

/** The ways of sending a request: each alone, and all of them one after the other. */
const routes: readonly Omit<Request, 'to'>[] = [
  ...ways.map((via) => ({ hops: [via], sampled: true })),
  { hops: ways, sampled: true },
  { hops: ways, sampled: false },
];

function requestsTo(...services: readonly string[]): Request[] {
  return services.flatMap((to) => routes.map(({ hops, sampled }) => ({ to, hops, sampled })));
}

/** The headers by which a caller names the trace of a request. */
type Carry = (traceId: string, sampled: boolean) => Record<string, string>;

const w3c: Carry = (traceId, sampled) => ({
  traceparent: `00-${traceId}-${CALLER}-0${Number(sampled)}`,
  tracestate: 'vendor=value',
  baggage: 'tenant.id=acme',
});

/** Sends requests to two services and ends the services, so that they export everything. */
async function visit(services: Record<string, ServiceOptions>, carry: Carry = w3c): Promise<Map<string, Visited>> {
  const names = Object.keys(services);
  const peers = await Peers.start(apps, services);
  const sent: { title: string; traceId: string; seen: Seen[] }[] = [];
  for (const { to, hops, sampled } of requestsTo(...names)) {
    const traceId = String(sent.length + 1).padStart(32, 'a');
    const seen = await peers.send(names.indexOf(to) as 0 | 1, hops, carry(traceId, sampled));
    sent.push({ title: titleOf({ to, hops, sampled }), traceId, seen });
  }
  const { spans, complaints } = await peers.stop();
  expect(complaints).toBe('');
  return new Map(sent.map(({ title, traceId, seen }) => [title, { traceId, seen, trace: drawTrace(spans, traceId) }]));
}

function titleOf({ to, hops, sampled }: Request): string {
  return `${to}: ${hops.join(', ')}${sampled ? '' : ', not sampled'}`;
}

/** Indents each line below the one before. */
function chain(...lines: readonly string[]): string[] {
  return lines.map((line, depth) => '  '.repeat(depth) + line);
}

const rpcNames = { unary: 'Unary', 'server stream': 'ServerStream' };
const isRpc = (via: Via): via is keyof typeof rpcNames => via in rpcNames;

/** The spans that a service with only nestjs-tracing makes for a request that was sent in this way. */
function ourServer(via: Via): string[] {
  if (!isRpc(via)) return ['ours SERVER GET /relay', 'ours INTERNAL RelayController.relay'];
  return [`ours SERVER test.Echo/${rpcNames[via]}`, `ours INTERNAL RelayController.${camel(rpcNames[via])}`];
}

const camel = (name: string) => name[0]!.toLowerCase() + name.slice(1);
const ourClient = (via: Via) => (isRpc(via) ? `ours CLIENT test.Echo/${rpcNames[via]}` : 'ours CLIENT GET');
const stockSpan = (kind: 'SERVER' | 'CLIENT', via: Via) => {
  if (isRpc(via)) return `theirs ${kind} grpc.test.Echo/${rpcNames[via]} (grpc)`;
  return `theirs ${kind} GET (${kind === 'CLIENT' && via === 'fetch' ? 'undici' : 'http'})`;
};

describe.each([
  ['W3C', 'tracecontext,baggage', w3c],
  ['B3', 'b3,baggage', (id, sampled) => ({ b3: `${id}-${CALLER}-${Number(sampled)}`, baggage: 'tenant.id=acme' })],
  [
    'B3 in several headers',
    'b3multi,baggage',
    (id, sampled) => ({
      'x-b3-traceid': id,
      'x-b3-spanid': CALLER,
      'x-b3-sampled': String(Number(sampled)),
      baggage: 'tenant.id=acme',
    }),
  ],
] as [string, string, Carry][])('a plain OpenTelemetry service and ours, by %s', (format, propagators, carry) => {
  let visited: Map<string, Visited>;
  beforeAll(async () => {
    const ours = { app: 'nest-service', propagators } as const;
    const theirs = { app: 'plain-service', preload: stock, propagators } as const;
    visited = await visit({ ours, theirs }, carry);
  });

  it.each(requestsTo('ours', 'theirs').map(titleOf))('pass the trace on: %s', (title) => {
    const { traceId, seen, trace } = visited.get(title)!;
    const hops = title
      .split(': ')[1]!
      .split(', ')
      .filter((word) => ways.includes(word as Via)).length;
    const sampled = !title.endsWith('not sampled');
    expect(seen).toHaveLength(hops + 1);
    for (const { service: _service, ...it } of seen) {
      expect(it).toEqual({
        traceId,
        sampled,
        tenant: 'acme',
        ...(format === 'W3C' && { tracestate: 'vendor=value' }),
      });
    }
    expect(seen.map(({ service }) => service)).toEqual(
      seen.map((_seen, index) => (title.startsWith('ours') === (index % 2 === 0) ? 'ours' : 'theirs')),
    );
    // All spans are below the caller's span, which is the only missing parent.
    expect(trace.filter((line) => !line.startsWith(' '))).toEqual(sampled ? [CALLER] : []);
  });

  it.each(ways)('make one trace of it, from ours by %s', (via) => {
    const theirs = stockSpan('SERVER', via);
    expect(visited.get(`ours: ${via}`)!.trace).toEqual(chain(CALLER, ...ourServer('fetch'), ourClient(via), theirs));
  });

  it.each(ways)('make one trace of it, from theirs by %s', (via) => {
    expect(visited.get(`theirs: ${via}`)!.trace).toEqual(
      chain(CALLER, 'theirs SERVER GET (http)', stockSpan('CLIENT', via), ...ourServer(via)),
    );
  });
});

describe("OpenTelemetry's own instrumentations in one process with ours", () => {
  const theirs = { app: 'plain-service', preload: stock } as const;

  it('as they come: HTTP has no span twice, gRPC has', async () => {
    const visited = await visit({ ours: { app: 'nest-service', preload: stock }, theirs });
    for (const via of ways.slice(0, 2)) expectSingleHttp(visited, via);
    for (const via of ['unary', 'server stream'] as const) {
      const name = `test.Echo/${rpcNames[via]}`;
      expect(visited.get(`ours: ${via}`)!.trace).toEqual(
        chain(CALLER, ...handled, `ours CLIENT grpc.${name} (grpc)`, `ours CLIENT ${name}`, stockSpan('SERVER', via)),
      );
      const [caller, ...lines] = chain(CALLER, 'theirs SERVER GET (http)', stockSpan('CLIENT', via));
      const servers = [`ours SERVER grpc.${name} (grpc)`, `ours SERVER ${name}`];
      // The spans are siblings, without the handler's: the other instrumentation starts its own context around the handler.
      expect(visited.get(`theirs: ${via}`)!.trace).toEqual([caller, ...lines, ...servers.map((it) => `      ${it}`)]);
    }
  });

  it('with `grpc: false` and `http.client: false` every span is there once, theirs where there are both', async () => {
    const tracing = { grpc: false, http: { client: false } } as const;
    const visited = await visit({ ours: { app: 'nest-service', preload: stock, tracing }, theirs });
    for (const via of ways.slice(0, 2)) expectSingleHttp(visited, via);
    for (const via of ['unary', 'server stream'] as const) {
      const name = `grpc.test.Echo/${rpcNames[via]} (grpc)`;
      expect(visited.get(`ours: ${via}`)!.trace).toEqual(
        chain(CALLER, ...handled, `ours CLIENT ${name}`, stockSpan('SERVER', via)),
      );
      expect(visited.get(`theirs: ${via}`)!.trace).toEqual(
        chain(CALLER, 'theirs SERVER GET (http)', stockSpan('CLIENT', via), `ours SERVER ${name}`),
      );
    }
  });

  it('with their SDK alone, everything is ours and goes where theirs sends it', async () => {
    const visited = await visit({ ours: { app: 'nest-service', preload: [] }, theirs });
    for (const via of ways) {
      expect(visited.get(`theirs: ${via}`)!.trace).toEqual(
        chain(CALLER, 'theirs SERVER GET (http)', stockSpan('CLIENT', via), ...ourServer(via)),
      );
    }
    for (const via of ways.filter((way) => way !== 'node:http')) {
      expect(visited.get(`ours: ${via}`)!.trace).toEqual(
        chain(CALLER, ...ourServer('fetch'), ourClient(via), stockSpan('SERVER', via)),
      );
    }
  });

  const handled = ['ours SERVER GET /relay (http)', 'ours INTERNAL RelayController.relay'];

  function expectSingleHttp(visited: ReadonlyMap<string, Visited>, via: Via): void {
    const client = `ours CLIENT GET (${via === 'fetch' ? 'undici' : 'http'})`;
    expect(visited.get(`ours: ${via}`)!.trace).toEqual(chain(CALLER, ...handled, client, stockSpan('SERVER', via)));
    expect(visited.get(`theirs: ${via}`)!.trace).toEqual(
      chain(CALLER, 'theirs SERVER GET (http)', stockSpan('CLIENT', via), ...handled),
    );
  }
});
