import type { IncomingMessage, ServerResponse } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import type { Platform } from '../setup.js';

interface ExpressRequest extends IncomingMessage {
  ip?: string;
  route?: { path: string };
}

interface FastifyRequest {
  raw: IncomingMessage;
  ip: string;
  routeOptions: { url?: string };
}

interface Fastify {
  addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: unknown, done: () => void) => void): void;
  addHook(
    name: 'onResponse',
    hook: (request: FastifyRequest, reply: { raw: ServerResponse }, done: () => void) => void,
  ): void;
}

/** Makes a server span for each request, with a middleware of Express or two hooks of Fastify. */
export function traceServer(app: INestApplication, platform: Platform, tracer: Tracer): void {
  if (platform === 'express') traceExpress(app, tracer);
  else traceFastify(app.getHttpAdapter().getInstance() as Fastify, tracer);
}

function traceExpress(app: INestApplication, tracer: Tracer): void {
  app.use((request: ExpressRequest, response: ServerResponse, next: () => void) => {
    const { span, inside } = begin(tracer, request, request.ip);
    response.once('close', () => end(span, request, response, request.route?.path));
    context.with(inside, next);
  });
}

function traceFastify(fastify: Fastify, tracer: Tracer): void {
  const spans = new WeakMap<IncomingMessage, Span>();
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { span, inside } = begin(tracer, request.raw, request.ip);
    spans.set(request.raw, span);
    context.with(inside, done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request.raw);
    if (span) end(span, request.raw, reply.raw, request.routeOptions.url);
    done();
  });
}

function begin(tracer: Tracer, request: IncomingMessage, clientAddress: string | undefined) {
  const { headers, httpVersion, method = 'GET', socket, url = '/' } = request;
  const [path = '/', query] = url.split('?', 2);
  const [host, port] = (headers.host ?? '').split(':', 2);
  const parent = propagation.extract(ROOT_CONTEXT, headers);
  const span = tracer.startSpan(
    method,
    {
      kind: SpanKind.SERVER,
      attributes: {
        'http.request.method': method,
        'url.path': path,
        'url.scheme': 'http',
        'url.query': query,
        'network.protocol.version': httpVersion,
        'server.address': host,
        'server.port': Number(port),
        'client.address': clientAddress,
        'network.peer.address': socket.remoteAddress,
        'network.peer.port': socket.remotePort,
        'user_agent.original': headers['user-agent'],
      },
    },
    parent,
  );
  return { span, inside: trace.setSpan(parent, span) };
}

function end(span: Span, request: IncomingMessage, response: ServerResponse, route: string | undefined): void {
  if (route !== undefined) {
    span.updateName(`${request.method} ${route}`);
    span.setAttribute('http.route', route);
  }
  span.setAttribute('http.response.status_code', response.statusCode);
  if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
