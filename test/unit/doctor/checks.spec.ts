import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { examine } from '../../../lib/doctor/doctor.js';
import type { Finding } from '../../../lib/doctor/finding.js';
import { TemporaryFolder } from '../../support/temporary-folder.js';

type Files = Record<string, string | object>;

const LIBRARY = {
  version: '0.1.0',
  engines: { node: '>=20.0.0' },
  peerDependencies: {
    '@nestjs/core': '^11.1.4 || ^12.0.0',
    '@nestjs/common': '^11.1.4 || ^12.0.0',
    '@opentelemetry/api': '^1.9.0',
    '@opentelemetry/sdk-node': '>=0.220.0 <0.224.0 || >=0.300.0 <0.400.0',
  },
};
const APPLICATION: Files = {
  'package.json': { name: 'orders', scripts: { start: 'node dist/main.js' } },
  'tsconfig.json':
    '{\n  // of the team\n  "compilerOptions": { "experimentalDecorators": true, "emitDecoratorMetadata": true, },\n}',
  'src/app.module.ts': 'TracingModule.forRoot()',
  'src/main.ts': 'app.enableShutdownHooks();',
  'node_modules/nestjs-tracing/package.json': LIBRARY,
  'node_modules/@nestjs/core/package.json': { version: '12.5.1' },
  'node_modules/@nestjs/common/package.json': { version: '11.1.4' },
  'node_modules/@opentelemetry/api/package.json': { version: '1.9.1' },
  'node_modules/@opentelemetry/sdk-node/package.json': { version: '0.223.0' },
};

/** What a doctor finds wrong in a folder that is correct but for some files. An undefined file is missing. */
async function problems(
  changes: Record<string, string | object | undefined>,
  env: NodeJS.ProcessEnv = {},
): Promise<Finding[]> {
  const files = Object.entries({ ...APPLICATION, ...changes }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  using folder = new TemporaryFolder(Object.fromEntries(files));
  const findings = await examine({ folder: folder.path, probe: false }, env);
  return findings.filter(({ level }) => level !== 'ok');
}

function problem(level: string, check: string, message: string | RegExp): object {
  const text = typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message);
  return { level, check, message: text, fix: expect.stringMatching(/\w/) };
}

describe('doctor', () => {
  it('finds nothing wrong in an application that is set up', async () => {
    await expect(problems({})).resolves.toEqual([]);
  });

  it('needs a folder with a package.json', async () => {
    await expect(problems({ 'package.json': undefined })).resolves.toEqual([
      problem('error', 'folder', 'no package.json'),
    ]);
  });

  it('tells what is not installed', async () => {
    await expect(problems({ 'node_modules/nestjs-tracing/package.json': undefined })).resolves.toEqual([
      problem('error', 'packages', 'nestjs-tracing is not installed'),
    ]);
    await expect(problems({ 'node_modules/@opentelemetry/sdk-node/package.json': undefined })).resolves.toEqual([
      {
        ...problem('error', 'packages', '@opentelemetry/sdk-node is not installed'),
        fix: `npm install @opentelemetry/sdk-node@"${LIBRARY.peerDependencies['@opentelemetry/sdk-node']}"`,
      },
    ]);
  });

  it.each([
    ['@nestjs/core', '10.4.0'],
    ['@nestjs/core', '11.1.3'],
    ['@opentelemetry/sdk-node', '0.224.0'],
    ['@opentelemetry/api', '1.8.0'],
  ])('refuses %s %s', async (name, version) => {
    await expect(problems({ [`node_modules/${name}/package.json`]: { version } })).resolves.toEqual([
      problem('error', 'packages', `${name} ${version} is not supported`),
    ]);
  });

  it('warns of a package of OpenTelemetry that is made for another Node', async () => {
    const engines = { node: '^18.19.0 || >=90.15.0' };
    await expect(
      problems({ 'node_modules/@opentelemetry/sdk-node/package.json': { version: '0.301.0', engines } }),
    ).resolves.toEqual([
      problem(
        'warning',
        'packages',
        /^@opentelemetry\/sdk-node 0\.301\.0 is made for Node .*>=90\.15\.0, and this is Node \d/,
      ),
    ]);
  });

  it('refuses a version of Node', async () => {
    const found = await problems({
      'node_modules/nestjs-tracing/package.json': { ...LIBRARY, engines: { node: '>=90.0.0' } },
    });
    expect(found).toEqual([problem('error', 'node', /^Node \d+\.\S+ is not supported/)]);
  });

  it.each([
    ['1.10.0', 'error', 'spans made with it are lost'],
    ['1.8.0', 'warning', 'Spans made with it still arrive'],
    ['2.0.0', 'error', 'spans made with it are lost'],
  ])('tells what a second copy of the API means: %s', async (version, level, message) => {
    await expect(
      problems({ 'node_modules/some-agent/node_modules/@opentelemetry/api/package.json': { version } }),
    ).resolves.toEqual([problem(level, 'copies', message)]);
  });

  it('finds copies where pnpm keeps them', async () => {
    const store = 'node_modules/.pnpm/nestjs-tracing@0.0.9/node_modules/nestjs-tracing/package.json';
    await expect(problems({ [store]: { version: '0.0.9' } })).resolves.toEqual([
      problem('warning', 'copies', 'nestjs-tracing is installed 2 times'),
    ]);
  });

  it('searches the folder of a workspace, and no folder above it', async () => {
    const files = Object.entries(APPLICATION).map(([path, content]) => [`shop/apps/orders/${path}`, content]);
    using folder = new TemporaryFolder({
      ...Object.fromEntries(files),
      'shop/package-lock.json': {},
      'shop/node_modules/nestjs-tracing/package.json': { version: '0.0.1' },
      'node_modules/nestjs-tracing/package.json': { version: '0.0.2' },
    });
    const findings = await examine({ folder: join(folder.path, 'shop/apps/orders'), probe: false }, {});
    const copies = findings.filter(({ check }) => check === 'copies');
    expect(copies).toEqual([problem('warning', 'copies', 'nestjs-tracing is installed 2 times: 0.1.0')]);
    expect(copies[0]!.message).toContain('0.0.1 in ../../node_modules/nestjs-tracing');
  });

  it.each([
    ['{ "compilerOptions": { "experimentalDecorators": true } }', ['emitDecoratorMetadata']],
    ['{}', ['experimentalDecorators', 'emitDecoratorMetadata']],
  ])('needs compiler options: %s', async (text, missing) => {
    await expect(problems({ 'tsconfig.json': text })).resolves.toEqual(
      missing.map((name) => problem('error', 'compiler', `tsconfig.json does not set ${name}`)),
    );
  });

  it('reads the compiler options that a file extends', async () => {
    const files = {
      'tsconfig.json': '{ "extends": ["./config/base"] }',
      'config/base.json': APPLICATION['tsconfig.json']!,
    };
    await expect(problems(files)).resolves.toEqual([]);
  });

  it('needs the options of swc', async () => {
    await expect(problems({ '.swcrc': { jsc: { transform: { legacyDecorator: true } } } })).resolves.toEqual([
      problem('error', 'compiler', '.swcrc'),
    ]);
  });

  it('tells that the module and the shutdown hooks are missing', async () => {
    await expect(problems({ 'src/app.module.ts': '' })).resolves.toEqual([
      problem('error', 'module', 'No source imports TracingModule'),
    ]);
    await expect(problems({ 'src/main.ts': '' })).resolves.toEqual([
      problem('warning', 'shutdown', 'A signal ends the process without the last spans'),
    ]);
  });

  it.each([
    ["TracingModule.forRoot({ metrics: { path: '/metrics' } })", 'prom-client'],
    ["TracingModule.forRoot({ exporter: { type: 'jaeger' } })", '@opentelemetry/exporter-jaeger'],
  ])('tells which package an option needs: %s', async (module, name) => {
    await expect(problems({ 'src/app.module.ts': module })).resolves.toEqual([
      problem('error', 'packages', `needs ${name}, which is not installed`),
    ]);
  });

  it('needs no package for a collector of Jaeger', async () => {
    const module = "TracingModule.forRoot({ exporter: { type: 'jaeger', endpoint: 'http://jaeger:14268' } })";
    await expect(problems({ 'src/app.module.ts': module })).resolves.toEqual([]);
  });

  it('needs no package for metrics of OpenTelemetry', async () => {
    const module = "TracingModule.forRoot({ metrics: { type: 'opentelemetry' } })";
    await expect(problems({ 'src/app.module.ts': module })).resolves.toEqual([]);
  });

  it('finds an SDK that is preloaded, and how', async () => {
    const scripts = {
      start: 'node -r dotenv/config --import ./dist/tracing.js dist/main.js',
      agent: 'node --require dd-trace/init a.js',
    };
    await expect(
      problems(
        {
          'package.json': { scripts },
          'src/tracing.ts': 'const sdk = new NodeSDK({});',
          'src/main.ts': "import './tracing';\napp.enableShutdownHooks();",
        },
        { NODE_OPTIONS: '--require=@opentelemetry/auto-instrumentations-node/register' },
      ),
    ).resolves.toEqual([
      problem('warning', 'preload', 'NODE_OPTIONS preloads @opentelemetry/auto-instrumentations-node/register'),
      problem('warning', 'preload', 'the script "start" preloads ./dist/tracing.js'),
      problem('warning', 'preload', 'the script "agent" preloads dd-trace/init'),
      problem('warning', 'preload', 'src/tracing.ts creates a NodeSDK, and src/main.ts imports it'),
    ]);
  });

  it('allows instrumentations that are preloaded without an SDK', async () => {
    const scripts = { start: 'node --import ./dist/instrumentations.js dist/main.js' };
    await expect(
      problems({ 'package.json': { scripts }, 'src/instrumentations.ts': 'registerInstrumentations({})' }),
    ).resolves.toEqual([]);
  });

  it('tells that nothing loads the variables of a file', async () => {
    await expect(problems({ '.env': 'OTEL_SERVICE_NAME=orders\nPORT=3000\n' })).resolves.toEqual([
      problem('warning', 'environment', '.env has OTEL_SERVICE_NAME, but nothing in this application loads it'),
    ]);
  });

  it.each([
    ['a package', { dependencies: { '@nestjs/config': '4' } }],
    ['a flag of Node', { scripts: { start: 'node --env-file=.env dist/main.js' } }],
  ])('reads the variables of a file that %s loads', async (_, manifest) => {
    const found = await problems({
      'package.json': manifest,
      '.env': 'NODE_OPTIONS="--import dd-trace/initialize.mjs" # the agent\n',
    });
    expect(found).toEqual([problem('warning', 'preload', 'NODE_OPTIONS preloads dd-trace/initialize.mjs')]);
  });
});
