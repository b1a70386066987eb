import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { failureHint as hintOf } from '../../../../lib/export/otlp/failure-hint.js';
import { createOtlpTransport } from '../../../../lib/export/otlp/otlp-transport.js';
import { TRACES, type OtlpProtocol, type ResolvedOtlpExporter } from '../../../../lib/options/otlp-signal.js';
import { fakeSpan } from '../../sdk/fake-span.js';
import { freePort } from '../../../support/free-port.js';

const failureHint = (resolved: ResolvedOtlpExporter, error: unknown) => hintOf(resolved, error, TRACES);

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function destination(
  protocol: OtlpProtocol,
  port: number,
  more: Partial<ResolvedOtlpExporter> = {},
): ResolvedOtlpExporter {
  const path = protocol === 'grpc' ? '' : '/v1/traces';
  return {
    type: 'otlp',
    protocol,
    url: `http://127.0.0.1:${port}${path}`,
    headers: {},
    timeout: 5000,
    compression: 'none',
    proxy: undefined,
    tls: { certificate: undefined, clientCertificate: undefined, clientKey: undefined },
    ...more,
  };
}

/** Returns the error of the first attempt to export a span. */
async function errorOf(resolved: ResolvedOtlpExporter): Promise<unknown> {
  const transport = createOtlpTransport(resolved);
  const error = await new Promise<unknown>((resolve) => {
    transport.watchReach!(resolve);
    transport.exporter.export([transport.prepare!(fakeSpan('lost'))], (result) => resolve(result.error));
  });
  await transport.exporter.shutdown();
  return error;
}

/** A server that answers each request with a status. */
const answering = (status: number) => createServer((_request, response) => response.writeHead(status).end());

describe('the hint for an export', () => {
  it.each([401, 403])('that an HTTP receiver refuses with %d names the variable', async (status) => {
    const resolved = destination('http/protobuf', await listen(answering(status)));
    const error = await errorOf(resolved);
    expect(failureHint(resolved, error)).toBe(
      'No credentials are sent: set OTEL_EXPORTER_OTLP_HEADERS, or "headers" of the exporter.',
    );
    const withKey = { ...resolved, headers: { 'x-api-key': 'secret' } };
    expect(failureHint(withKey, error)).toContain('does not accept what is sent in: x-api-key.');
    expect(failureHint(withKey, error)).not.toContain('secret');
  });

  it.each([16, 7])('that a gRPC receiver refuses with status %d names the variable', async (status) => {
    const server = createHttp2Server();
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200, 'grpc-status': String(status) }, { endStream: true });
    });
    const resolved = destination('grpc', await listen(server));
    expect(failureHint(resolved, await errorOf(resolved))).toContain('OTEL_EXPORTER_OTLP_HEADERS');
  });

  it('to a path without a receiver names the usual one', async () => {
    const port = await listen(answering(404));
    const wrong = destination('http/json', port, { url: `http://127.0.0.1:${port}/traces` });
    expect(failureHint(wrong, await errorOf(wrong))).toContain(
      'no receiver at the path /traces: most have it at /v1/traces',
    );
    const right = destination('http/json', port);
    expect(failureHint(right, await errorOf(right))).toBeUndefined();
  });

  it('over gRPC to a server of HTTP/1.1 names the port, if it is the usual one', async () => {
    const resolved = destination('grpc', await listen(answering(404)));
    const error = await errorOf(resolved);
    expect(failureHint(destination('grpc', 4318), error)).toBe(
      'Port 4318 is usually that of OTLP over HTTP: use port 4317, or the protocol http/protobuf.',
    );
    expect(failureHint(resolved, error)).toBe('It is not HTTP/2 that answers there: correct the endpoint.');
  });

  it('over HTTP to a server of gRPC names the port, if it is the usual one', async () => {
    const resolved = destination('http/protobuf', await listen(createHttp2Server()));
    const error = await errorOf(resolved);
    expect(failureHint(destination('http/protobuf', 4317), error)).toBe(
      'Port 4317 is usually that of OTLP over gRPC: use port 4318, or the protocol grpc.',
    );
    expect(failureHint(resolved, error)).toBe('It is not HTTP that answers there: correct the endpoint.');
  });

  it.each(['http/protobuf', 'grpc'] as const)('to a port where nothing listens says so: %s', async (protocol) => {
    const resolved = destination(protocol, await freePort());
    const error = await errorOf(resolved);
    expect(failureHint(resolved, error)).toContain('Nothing listens there: start a backend');
    expect(failureHint({ ...resolved, url: 'http://tempo:5000' }, error)).toBeUndefined();
  });

  it('is missing for other failures', () => {
    expect(failureHint(destination('grpc', 4318), new Error('cannot be encoded'))).toBeUndefined();
    expect(failureHint(destination('grpc', 4318), undefined)).toBeUndefined();
  });
});
