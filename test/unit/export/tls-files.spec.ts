import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { resolveOtlp } from '../../../lib/options/otlp.js';
import { createOtlpTransport } from '../../../lib/export/otlp/otlp-transport.js';
import { readTlsFiles } from '../../../lib/export/tls-files.js';
import { certificate, privateKey } from '../../support/certificate.js';
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
