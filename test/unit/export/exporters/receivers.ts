import dgram from 'node:dgram';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { certificate, privateKey } from '../../../support/certificate.js';
import { loadDependency } from '../../../support/load-dependency.js';

/** One export as it was received. */
export interface Received {
  readonly path: string;
  readonly headers: Record<string, unknown>;
  /** Decompressed. */
  readonly body: Buffer;
}

export interface Receiver {
  readonly port: number;
  readonly received: Received[];
  /** The open connections. */
  readonly sockets: Set<Socket>;
  close(): Promise<void>;
}

/** An HTTP server that answers each request with the next of these status codes, and repeats the last one. */
export async function httpReceiver(statuses: number[] = [200], tls = false): Promise<Receiver> {
  const received: Received[] = [];
  const onRequest: http.RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
      received.push({ path: request.url ?? '', headers: request.headers, body });
      response.statusCode = (statuses.length > 1 ? statuses.shift() : statuses[0]) ?? 200;
      response.end();
    });
  };
  const server = tls
    ? https.createServer({ cert: certificate, key: privateKey }, onRequest)
    : http.createServer(onRequest);
  return listening(server, received);
}

/** A server that accepts connections and never answers. */
export function silentReceiver(): Promise<Receiver> {
  return listening(
    net.createServer((socket) => socket.resume()),
    [],
  );
}

async function listening(server: net.Server, received: Received[]): Promise<Receiver> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received,
    sockets,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A port on which no server listens. */
export async function closedPort(): Promise<number> {
  const receiver = await silentReceiver();
  await receiver.close();
  return receiver.port;
}

export async function udpReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const socket = dgram.createSocket('udp4');
  socket.on('message', (body) => received.push({ path: '', headers: {}, body }));
  await new Promise<void>((resolve) => void socket.bind(0, '127.0.0.1', resolve));
  return {
    port: socket.address().port,
    received,
    sockets: new Set(),
    close: () => new Promise((resolve) => void socket.close(resolve)),
  };
}

type Handler = (
  call: { request: Buffer; metadata: { getMap(): Record<string, unknown> } },
  callback: (error: null, response: Buffer) => void,
) => void;

interface GrpcPackage {
  Server: new () => {
    addService(definition: object, handlers: Record<string, Handler>): void;
    bindAsync(address: string, credentials: unknown, callback: (error: Error | null, port: number) => void): void;
    forceShutdown(): void;
  };
  ServerCredentials: {
    createInsecure(): unknown;
    createSsl(ca: null, pairs: { private_key: Buffer; cert_chain: Buffer }[]): unknown;
  };
}

export async function grpcReceiver(tls = false): Promise<Receiver> {
  const grpc = loadDependency<GrpcPackage>('@grpc/grpc-js', '@opentelemetry/otlp-grpc-exporter-base');
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
  const bytes = (value: Buffer) => value;
  const method = {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  const received: Received[] = [];
  const server = new grpc.Server();
  const onExport: Handler = (call, callback) => {
    received.push({ path, headers: call.metadata.getMap(), body: call.request });
    callback(null, Buffer.alloc(0));
  };
  server.addService({ export: method }, { export: onExport });
  const pair = { private_key: Buffer.from(privateKey), cert_chain: Buffer.from(certificate) };
  const credentials = tls ? grpc.ServerCredentials.createSsl(null, [pair]) : grpc.ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  const close = () => Promise.resolve(server.forceShutdown());
  return { port, received, sockets: new Set(), close };
}
