import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import type { Finding } from '../../lib/doctor/finding.js';
import { probeExporters } from '../../lib/doctor/probe.js';
import { CompiledFolder } from '../support/compiled-folder.js';
import { freePort } from '../support/free-port.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

describe('the probe of doctor', () => {
  const probe = (env: NodeJS.ProcessEnv, exporterIn?: string) =>
    probeExporters({ folder: import.meta.dirname, env: { OTEL_SERVICE_NAME: 'orders', ...env }, exporterIn });

  it('sends one span that can be recognized', async () => {
    const receiver = await OtlpReceiver.start();
    const [finding, ...others] = await probe({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=k1',
    });
    await receiver.stop();
    expect(others).toEqual([]);
    expect(receiver.requests).toEqual([
      expect.objectContaining({ path: '/v1/traces', headers: expect.objectContaining({ 'x-api-key': 'k1' }) }),
    ]);
    const [span] = receiver.spans;
    expect(span).toMatchObject({ name: 'nestjs-tracing doctor', resource: { 'service.name': 'orders' } });
    expect(finding).toMatchObject({ level: 'ok', message: expect.stringContaining(span!.traceId) });
  });

  it.each([
    [401, 'No credentials are sent: set OTEL_EXPORTER_OTLP_HEADERS'],
    [403, 'No credentials are sent: set OTEL_EXPORTER_OTLP_HEADERS'],
    [404, 'OTEL_EXPORTER_OTLP_ENDPOINT is a base address'],
    [415, 'set OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf or http/json'],
    [301, 'the address that the redirect leads to'],
    [503, 'Look at the log of the receiver'],
  ])('tells what to do about status %i', async (status, fix) => {
    const { close, url } = await listen(
      createServer((_, response) => response.writeHead(status, { location: '/' }).end()),
    );
    const findings = await probe({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://user:secret@${url.slice(7)}` });
    close();
    expect(findings).toEqual([
      {
        level: 'error',
        check: 'export',
        message: expect.stringContaining(`status ${status}`),
        fix: expect.stringContaining(fix),
      },
    ]);
    expect(JSON.stringify(findings)).not.toContain('secret');
  });

  it('tells what to do where nothing listens', async () => {
    const [finding] = await probe({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` });
    expect(finding).toMatchObject({
      level: 'error',
      message: expect.stringContaining('ECONNREFUSED'),
      fix: expect.stringContaining('Start a receiver'),
    });
  });

  it('tells that gRPC was expected, and that it was not', async () => {
    const server = new GrpcServer();
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    const [asHttp] = await probe({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
    server.forceShutdown();
    expect(asHttp!.fix).toContain('does not answer as HTTP/1.1. Port 4318 is for HTTP, and port 4317 for gRPC');

    const { close, url } = await listen(createServer((_, response) => response.end()));
    const [asGrpc] = await probe({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
    close();
    expect(asGrpc!.fix).toContain('does not answer as gRPC. Port 4318');
  });

  it('only warns if the code names an exporter, which it does not read', async () => {
    const [finding] = await probe(
      { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` },
      'src/app.module.ts',
    );
    expect(finding).toMatchObject({
      level: 'warning',
      fix: expect.stringContaining('src/app.module.ts has an option exporter'),
    });
  });

  it('reports variables that the library ignores', async () => {
    await expect(probe({ OTEL_TRACES_EXPORTER: 'none', OTEL_TRACES_SAMPLER: 'sometimes' })).resolves.toEqual([
      expect.objectContaining({ level: 'warning', message: expect.stringContaining('OTEL_TRACES_SAMPLER is ignored') }),
      expect.objectContaining({ level: 'warning', message: expect.stringContaining('no spans leave the process') }),
    ]);
  });

  it('sends nothing if tracing is switched off', async () => {
    await expect(probe({ OTEL_SDK_DISABLED: 'true' })).resolves.toEqual([
      expect.objectContaining({ level: 'warning', message: expect.stringContaining('switches tracing off') }),
    ]);
  });
});

describe('npx nestjs-tracing doctor', () => {
  let compiled: CompiledFolder;
  beforeAll(() => {
    compiled = new CompiledFolder('test/e2e/apps');
  });
  afterAll(() => compiled.remove());

  it('reports a line for each check, and fails if there is an error', async () => {
    using folder = new TemporaryFolder({ 'package.json': {} });
    const { code, stdout } = await run(['doctor', folder.path, '--no-probe']);
    expect(stdout).toMatch(/^error\s+packages\s+nestjs-tracing is not installed\.\n\s+→ nest add nestjs-tracing/m);
    expect(stdout).toMatch(/^ok\s+preload\s+no other SDK is started$/m);
    expect(stdout).not.toContain('\u001B');
    expect(code).toBe(1);
  });

  it('writes JSON', async () => {
    using folder = new TemporaryFolder({ 'package.json': {} });
    const { stdout } = await run(['doctor', folder.path, '--no-probe', '--json']);
    const report = JSON.parse(stdout) as { folder: string; findings: Finding[] };
    expect(report.folder).toBe(folder.path);
    expect(report.findings.map(({ check }) => check)).toEqual(['packages', 'module', 'preload']);
  });

  it('finds packages that are in no node_modules, and do not export their package.json', async () => {
    using folder = new TemporaryFolder({
      'app/package.json': { name: 'books' },
      'app/node_modules/nestjs-tracing/package.json': { version: '0.1.0' },
      'elsewhere/@opentelemetry/api/package.json': {
        name: '@opentelemetry/api',
        version: '1.9.1',
        exports: { '.': './build/index.js' },
      },
      'elsewhere/@opentelemetry/api/build/package.json': { type: 'commonjs' },
      'elsewhere/@opentelemetry/api/build/index.js': '',
    });
    const NODE_PATH = join(folder.path, 'elsewhere'); // as with Yarn's Plug'n'Play, Node finds them by other means
    const { stdout } = await run(['doctor', '--no-probe'], join(folder.path, 'app'), { NODE_PATH });
    expect(stdout).toMatch(/^ok\s+packages\s+@opentelemetry\/api 1\.9\.1$/m);
  });

  it('succeeds with warnings alone, and sends its span with the variables of .env', async () => {
    const receiver = await OtlpReceiver.start();
    const packages = {
      'nestjs-tracing': '0.1.0',
      '@nestjs/core': '12.0.0',
      '@nestjs/common': '12.0.0',
      '@opentelemetry/api': '1.9.0',
      '@opentelemetry/sdk-node': '0.223.0',
    };
    using folder = new TemporaryFolder({
      'package.json': { name: 'books', dependencies: { '@nestjs/config': '4' } },
      '.env': `OTEL_EXPORTER_OTLP_ENDPOINT=${receiver.url}\nOTEL_EXPORTER_OTLP_PROTOCOL=http/json\n`,
      'src/app.module.ts': 'TracingModule.forRoot()',
      ...Object.fromEntries(
        Object.entries(packages).map(([name, version]) => [`node_modules/${name}/package.json`, { version }]),
      ),
    });
    const { code, stdout } = await run(['doctor'], folder.path);
    await receiver.stop();
    expect(stdout).toContain('0 errors, 1 warning');
    expect(code).toBe(0);
    expect(receiver.spans.map(({ resource }) => resource['service.name'])).toEqual(['books']);
  });

  it.each([[['treat']], [['doctor', '--probe']], [[]]])('explains itself for the arguments %j', async (args) => {
    const { code, stderr } = await run(args);
    expect(stderr).toContain('Usage: npx nestjs-tracing doctor');
    expect(code).toBe(2);
  });

  async function run(
    args: string[],
    cwd?: string,
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ code: unknown; stdout: string; stderr: string }> {
    const cli = join(compiled.path, 'node_modules/nestjs-tracing/doctor/cli.js');
    const child = spawn(process.execPath, [cli, ...args], { cwd, env: { PATH: process.env.PATH, ...env } });
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = (await once(child, 'close')) as unknown[];
    const [stdout, stderr] = await output;
    return { code, stdout, stderr };
  }
});

async function listen(server: Server): Promise<{ url: string; close: () => void }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}
