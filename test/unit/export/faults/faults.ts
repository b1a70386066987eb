import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { authority, expiredServer, otherServer, server } from '../../../support/certificates.js';
import { certificate, privateKey } from '../../../support/certificate.js';
import type { Behaviour } from './front-server.js';
import type { Way, Wire, World } from './world.js';

/** A fault of a backend, or on the way to it. */
export interface Fault {
  readonly name: string;
  readonly way: Way;
  /** The transport that may have the fault. Undefined if both may. */
  readonly wire?: Wire;
  begin(world: World): unknown;
  /** Ends what `heal()` of the world does not. */
  end?(world: World): unknown;
  /** A message of the log: the cause, and what may help. */
  readonly message: RegExp;
  /** True if the connections that are open are mute during the fault, and not cut. */
  readonly isMute: boolean;
}

type Given = Omit<Fault, 'name' | 'way' | 'begin' | 'message' | 'isMute'>;

const fault = (way: Way, name: string, begin: Fault['begin'], message: RegExp, more: Partial<Given> = {}): Fault => ({
  name,
  way,
  begin,
  message,
  isMute: message === NO_ANSWER,
  ...more,
});

/** A fault of the backend, of which each new connection has this behaviour. */
const ofBackend = (name: string, behaviour: Behaviour, message: RegExp, more?: Partial<Given>, way: Way = 'direct') =>
  fault(way, name, ({ backend }) => (backend.behaviour = behaviour), message, more);
const ofProxy = (way: Way, name: string, behaviour: Behaviour, message: RegExp) =>
  fault(way, name, ({ proxy }) => (proxy.behaviour = behaviour), message);
const ofHttp = (name: string, answer: RequestListener, message: RegExp) =>
  fault('direct', name, (world) => (world.backend.behaviour = world.answering({ http: answer })), message, {
    wire: 'http',
  });
const ofGrpc = (name: string, answer: Parameters<World['answering']>[0]['grpc'], message: RegExp) =>
  fault('direct', name, (world) => (world.backend.behaviour = world.answering({ grpc: answer! })), message, {
    wire: 'grpc',
  });

/** Sends this as soon as something has come, and nothing after it. */
const says =
  (answer: string | Buffer): Behaviour =>
  (socket) =>
    void socket.once('data', () => socket.write(answer)).resume();

/** Sends the first text, and the second one without end. */
const floods =
  (start: string, piece: string): Behaviour =>
  (socket) =>
    void socket.once('data', () => {
      socket.write(start);
      const pieces = piece.repeat(Math.ceil(4096 / piece.length));
      const more = () => {
        while (!socket.destroyed && socket.write(pieces));
      };
      socket.on('drain', more).resume();
      more();
    });

/** Sends the first text, and then a byte now and then. */
const dribbles =
  (start: string): Behaviour =>
  (socket) =>
    void socket.once('data', () => {
      socket.write(start);
      let isOpen = true;
      socket.on('close', () => (isOpen = false)).resume();
      const more = () => {
        if (isOpen && !socket.destroyed) socket.write('x', () => setImmediate(more));
      };
      more();
    });

const answers =
  (status: number, headers: Record<string, string> = {}, body: string | Buffer = ''): RequestListener =>
  (request, response) =>
    void request.resume().on('end', () => response.writeHead(status, headers).end(body));

const mute: Behaviour = (socket) => void socket.resume();
const reset: Behaviour = (socket) => void socket.resetAndDestroy();
const HEAD = 'HTTP/1.1 200 OK\r\n';
const overHttp = { wire: 'http' } as const;

const NO_ANSWER = /no answer (for|within) \d+ ms\).*firewall.*"timeout"|is mute.*firewall/;
const NO_CONNECTION = /no connection within \d+ ms|is mute: no reply|no answer (for|within)/;
const CUT = /ECONNRESET|hang up|cut|closed without an answer|stream/i;
const THROUGH_PROXY = 'It is sent through the proxy http://127\\.0\\.0\\.1:\\d+\\. ';
const PROXY_FIX = new RegExp(`${THROUGH_PROXY}Correct HTTPS?_PROXY, or add backend\\.test to NO_PROXY`);
const PROXY_CREDENTIALS = new RegExp(`407.*${THROUGH_PROXY}Put a user and a password .* into HTTPS?_PROXY`);

export const FAULTS: readonly Fault[] = [
  fault('direct', 'nothing listens', ({ backend }) => backend.stop(), /ECONNREFUSED.*Nothing listens there/, {
    end: ({ backend }) => backend.listen(),
  }),
  ofBackend('it never answers', mute, NO_ANSWER),
  ofBackend('it never reads', (socket) => void socket.pause(), NO_ANSWER),
  ofBackend('it resets every connection', reset, CUT),
  ofBackend('it ends every connection', (socket) => void socket.resume().end(), CUT),
  ofBackend(
    'it speaks another protocol',
    says('SSH-2.0-OpenSSH_9\r\n'),
    /(It is not HTTP that|It is not HTTP\/2 that) answers/,
  ),

  fault(
    'name',
    'its name is not found',
    (world) => (world.nameFault = 'ENOTFOUND'),
    /ENOTFOUND.*backend\.test is not known/,
  ),
  fault('name', 'DNS fails', (world) => (world.nameFault = 'EAI_AGAIN'), /EAI_AGAIN.*No server of DNS answers/),
  fault('name', 'DNS never answers', (world) => (world.nameFault = 'mute'), NO_ANSWER),
  ofBackend('the address of its name is dead', mute, NO_ANSWER, {}, 'name'),

  ...(
    [
      ['has expired', expiredServer, /expired.*has to be renewed/],
      ['is for another name', otherServer, /altnames.*not for backend\.test: use a name in the endpoint/],
      [
        'is of an unknown authority',
        { cert: certificate, key: privateKey },
        /self[- ]signed.*OTEL_EXPORTER_OTLP_CERTIFICATE/,
      ],
    ] as const
  ).map(([what, pair, message]) =>
    fault('tls', `its certificate ${what}`, (world) => (world.backend.behaviour = world.accepting(pair)), message),
  ),
  fault(
    'tls',
    'it refuses the client',
    (world) =>
      (world.backend.behaviour = world.accepting({
        ...server,
        ca: authority,
        requestCert: true,
        rejectUnauthorized: true,
      })),
    /OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY/,
  ),
  ofBackend('its handshake never ends', mute, NO_CONNECTION, {}, 'tls'),
  ofBackend('it speaks no TLS', says('HTTP/1.1 400 Bad Request\r\n\r\n'), /does not speak TLS: use http:/, {}, 'tls'),

  ...(['proxy', 'tls proxy'] as const).flatMap((way) => [
    fault(way, 'the proxy is down', ({ proxy }) => proxy.stop(), PROXY_FIX, { end: ({ proxy }) => proxy.listen() }),
    ofProxy(
      way,
      'the proxy asks for credentials',
      says('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n'),
      PROXY_CREDENTIALS,
    ),
    ofProxy(way, 'the proxy never answers', mute, PROXY_FIX),
    ofProxy(way, 'the proxy dribbles its answer', dribbles(`${HEAD}X: `), PROXY_FIX),
    ofProxy(way, 'the proxy resets every connection', reset, PROXY_FIX),
  ]),

  ofHttp('it is unavailable', answers(503), /status 503/),
  ofHttp('it is unavailable for half a minute', answers(503, { 'retry-after': '30' }), /status 503/),
  ofHttp('it takes no more', answers(429), /status 429/),
  ofHttp('it fails', answers(500), /status 500/),
  ofHttp('it redirects', answers(307, { location: 'http://elsewhere.test' }), /status 307.*correct the endpoint/),
  ofHttp('it finds every message too large', answers(413), /status 413/),
  ofHttp(
    'it is a web server',
    answers(200, { 'content-type': 'text/html' }, '<!doctype html>'),
    /web page.*correct the endpoint/,
  ),
  ofHttp(
    'its failure is a gzip bomb',
    answers(500, { 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(2 ** 24))),
    /status 500 Internal Server Error\)/,
  ),
  ofBackend(
    'it resets the connection in the middle of an answer',
    (socket: Socket) =>
      void socket.once('data', () =>
        socket.write(`${HEAD}Content-Length: 9\r\n\r\n123`, () => setImmediate(() => socket.resetAndDestroy())),
      ),
    CUT,
    overHttp,
  ),
  ofBackend(
    'its answer never ends',
    floods(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, '8\r\nxxxxxxxx\r\n'),
    /more than 65536 bytes/,
    overHttp,
  ),
  ofBackend('its answer comes byte by byte', dribbles(`${HEAD}Content-Length: 9000000\r\n\r\n`), NO_ANSWER, overHttp),
  ofBackend('its head never ends', floods(HEAD, 'X: y\r\n'), /Header overflow.*correct the endpoint/i, overHttp),
  ofBackend('its head comes byte by byte', dribbles(`${HEAD}X: `), /no answer|Header overflow/i, overHttp),
  ofBackend(
    'it only gives preliminary answers',
    floods('', 'HTTP/1.1 103 Early Hints\r\n\r\n'),
    /preliminary/,
    overHttp,
  ),
  ofBackend(
    'it wants another protocol',
    says('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    /without an answer/,
    overHttp,
  ),

  fault(
    'direct',
    'it goes away at once',
    (world) => (world.backend.behaviour = world.answering({}, undefined, (session) => session.close())),
    CUT,
    { wire: 'grpc' },
  ),
  fault(
    'direct',
    'it goes away because of an error',
    (world) => (world.backend.behaviour = world.answering({}, undefined, (session) => session.destroy(undefined, 11))),
    /ERR_HTTP2|session|closed without an answer/i,
    { wire: 'grpc' },
  ),
  fault(
    'direct',
    'it allows no calls',
    (world) => (world.backend.behaviour = world.answering({}, undefined, undefined, { maxConcurrentStreams: 0 })),
    NO_ANSWER,
    { wire: 'grpc' },
  ),
  ofGrpc('it never answers calls', (stream) => void stream.resume(), NO_ANSWER),
  ofGrpc('it never reads calls', () => {}, NO_ANSWER),
  ofGrpc('it resets every call', (stream) => stream.close(2), /stream/i),
  ofGrpc('its answer has no end', (stream) => stream.respond({ ':status': 200 }), NO_ANSWER),
  ofGrpc(
    'its answer never ends',
    (stream) => {
      stream.respond({ ':status': 200 });
      const chunk = Buffer.alloc(16_384);
      const more = () => {
        while (!stream.destroyed && stream.write(chunk));
      };
      stream.on('drain', more);
      more();
    },
    /more than 65536 bytes/,
  ),
  ofGrpc(
    'it only gives preliminary answers',
    (stream) => {
      const more = () => {
        if (stream.destroyed) return;
        for (let count = 0; count < 20; count++) stream.additionalHeaders({ ':status': 103 });
        setImmediate(more);
      };
      more();
    },
    /preliminary/,
  ),
  ofGrpc(
    'it answers with a status of HTTP',
    (stream) => stream.respond({ ':status': 502 }, { endStream: true }),
    /status 502 of HTTP/,
  ),
  ofGrpc(
    'it is unavailable',
    (stream) => stream.respond({ ':status': 200, 'grpc-status': '14' }, { endStream: true }),
    /gRPC status 14/,
  ),
  ofGrpc(
    'it fails',
    (stream) => stream.respond({ ':status': 200, 'grpc-status': '13' }, { endStream: true }),
    /gRPC status 13/,
  ),
];
