import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer as createGrpcServer, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttpServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { resolveOtlp } from '../../../lib/options/otlp.js';
import { createOtlpTransport } from '../../../lib/export/otlp/otlp-transport.js';
import { readTlsFiles, watchTlsFiles } from '../../../lib/export/tls-files.js';
import { certificate, privateKey } from '../../support/certificate.js';
import { authority, client, server } from '../../support/certificates.js';
import { TemporaryFolder } from '../../support/temporary-folder.js';
import { fakeSpan } from '../sdk/fake-span.js';
import { recordWarnings } from '../../support/recorded-warnings.js';

const warnings = recordWarnings();

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls-'));
  writeFileSync(join(folder, 'ca.pem'), certificate);
  writeFileSync(join(folder, 'key.pem'), privateKey);
  writeFileSync(join(folder, 'garbage.pem'), 'garbage');
});
afterAll(() => rmSync(folder, { recursive: true }));

const otlp = (options: object, files: Record<string, string>) =>
  resolveOtlp(
    'exporter',
    { type: 'otlp', ...options },
    Object.fromEntries(
      Object.entries(files).map(([name, file]) => [`OTEL_EXPORTER_OTLP_${name}`, resolve(folder, file)]),
    ),
  );

describe('certificates that variables name', () => {
  it('are read', () => {
    const { tls } = otlp({}, { CERTIFICATE: 'ca.pem', CLIENT_CERTIFICATE: 'ca.pem', CLIENT_KEY: 'key.pem' });
    const cert = Buffer.from(certificate);
    expect(readTlsFiles(tls)).toEqual({ ca: cert, cert, key: Buffer.from(privateKey) });
    expect(warnings).toEqual([]);
  });

  it.each<[variable: string, files: Record<string, string>]>([
    ['CERTIFICATE', { CERTIFICATE: 'nowhere.pem' }],
    ['CERTIFICATE', { CERTIFICATE: 'garbage.pem' }],
    ['CERTIFICATE', { CERTIFICATE: 'key.pem' }],
    ['CLIENT_KEY', { CLIENT_KEY: 'key.pem' }],
    ['CLIENT_CERTIFICATE', { CLIENT_CERTIFICATE: 'ca.pem' }],
    ['CLIENT_CERTIFICATE', { CLIENT_CERTIFICATE: 'garbage.pem', CLIENT_KEY: 'key.pem' }],
    ['CLIENT_CERTIFICATE', { CLIENT_CERTIFICATE: 'ca.pem', CLIENT_KEY: 'garbage.pem' }],
    ['CLIENT_CERTIFICATE', { CLIENT_CERTIFICATE: 'ca.pem', CLIENT_KEY: 'nowhere.pem' }],
  ])('are warned of and left out where they cannot be used: %s of %j', (variable, files) => {
    for (const protocol of ['http/protobuf', 'grpc']) {
      createOtlpTransport(otlp({ protocol, endpoint: 'https://localhost:1' }, files)).close?.();
    }
    expect(warnings).toEqual([expect.stringContaining(`The variable OTEL_EXPORTER_OTLP_${variable} is ignored`)]);
    expect(readTlsFiles(otlp({}, files).tls)).toEqual({});
  });

  it.each(['http/protobuf', 'grpc'])('are not read where %s is not encrypted', (protocol) => {
    createOtlpTransport(otlp({ protocol, endpoint: 'http://localhost:1' }, { CERTIFICATE: 'nowhere.pem' })).close?.();
    expect(warnings).toEqual([]);
  });
});

describe('certificates that are replaced on disk', () => {
  const variables = { CERTIFICATE: 'ca.pem', CLIENT_CERTIFICATE: 'client.pem', CLIENT_KEY: 'client.key' };
  const bytes = (texts: Record<string, string>) =>
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));

  function watched(files: TemporaryFolder) {
    const paths = Object.entries(variables).map(([name, file]) => [name, join(files.path, file)]);
    return watchTlsFiles(otlp({}, Object.fromEntries(paths) as Record<string, string>).tls)!;
  }

  it('are read again for the next connection', async () => {
    using files = new TemporaryFolder({ 'ca.pem': certificate, 'client.pem': client.cert, 'client.key': client.key });
    const read = watched(files);
    expect(await read()).toEqual(bytes({ ca: certificate, ...client }));
    files.write('ca.pem', authority);
    files.write('client.pem', server.cert);
    files.write('client.key', server.key);
    expect(await read()).toEqual(bytes({ ca: authority, ...server }));
    expect(warnings).toEqual([]);
  });

  it('are used as they were while they cannot be used, and read when they can', async () => {
    using files = new TemporaryFolder({ 'ca.pem': authority, 'client.pem': client.cert, 'client.key': client.key });
    const read = watched(files);
    await read();
    // The key of this certificate is not written yet.
    files.write('client.pem', server.cert);
    expect(await read()).toEqual(bytes({ ca: authority, ...client }));
    expect(warnings).toEqual([
      expect.stringMatching(/client\.pem.* have changed and cannot be used .*: the earlier ones are/),
    ]);
    files.write('client.key', server.key);
    expect(await read()).toEqual(bytes({ ca: authority, ...server }));
  });

  it('are nothing to watch if no variable names a file', () => {
    expect(watchTlsFiles(otlp({}, {}).tls)).toBeUndefined();
  });

  it.each(['http/protobuf', 'grpc'] as const)(
    'reach a receiver by %s that accepts only the new one',
    async (protocol) => {
      using files = new TemporaryFolder({ 'ca.pem': authority, 'client.pem': certificate, 'client.key': privateKey });
      const tls = { ...server, ca: authority, requestCert: true, rejectUnauthorized: true };
      const receiver =
        protocol === 'grpc'
          ? createGrpcServer(tls).on('stream', (stream: ServerHttp2Stream) => {
              stream.resume().on('error', () => {});
              stream.on('end', () => stream.respond({ ':status': 200, 'grpc-status': '0' }, { endStream: true }));
            })
          : createHttpServer(tls, (request, response) => void request.resume().on('end', () => response.end()));
      receiver.listen(0, '127.0.0.1');
      await once(receiver, 'listening');
      const endpoint = `https://localhost:${(receiver.address() as AddressInfo).port}`;
      const paths = Object.entries(variables).map(([name, file]) => [name, join(files.path, file)]);
      const transport = createOtlpTransport(
        otlp({ endpoint, protocol }, Object.fromEntries(paths) as Record<string, string>),
      );
      const unreached = new Promise((resolve) => transport.watchReach!(resolve));
      const exported = new Promise((resolve) =>
        transport.exporter.export([transport.prepare!(fakeSpan('span'))], resolve),
      );
      await unreached;
      files.write('client.pem', client.cert);
      files.write('client.key', client.key);
      expect(await exported).toEqual({ code: 0 });
      await transport.exporter.shutdown();
      receiver.close();
    },
  );
});
