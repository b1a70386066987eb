/**
 * Installs the packed library into small applications, as users do, and runs them.
 *
 *   node scripts/test-consumers.mjs [names of folders in test/consumers]
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { npm, pack } from './support/pack.mjs';
import { root, run } from './support/run.mjs';
import { testSetUp } from './support/set-up-consumer.mjs';

const templates = join(root, 'test/consumers');
/** What is checked in every application. */
const CHECKS = [
  ['one-copy.mjs'],
  ['loaded-files.mjs'],
  ['testing-module.mjs'],
  ['stack-trace.mjs'],
  ['--enable-source-maps', 'stack-trace.mjs'],
];
/** The applications to run, by the dependency that is installed. The first match counts. The checks are made with the first application. */
const APPS = [
  ['@nestjs/websockets', ['sockets-app.ts']],
  ['@nestjs/graphql', ['graphql17-app.ts']],
  ['@nestjs/schedule', ['jobs-app.ts']],
  ['nestjs-pino', ['logs-app.ts']],
  ['@nestjs/microservices', ['grpc-app.ts', 'tcp-app.ts']],
  ['@nestjs/platform-fastify', ['fastify-app.ts']],
  ['@nestjs/core', ['http-app.ts']],
];

const all = readdirSync(templates).filter((name) => existsSync(join(templates, name, 'package.json')));
const names = process.argv.length > 2 ? process.argv.slice(2) : all;

run(process.execPath, ['scripts/build.mjs']);
const folder = mkdtempSync(join(tmpdir(), 'nestjs-tracing-consumers-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
renameSync(pack(folder), join(folder, 'nestjs-tracing.tgz'));

for (const name of names) {
  const started = Date.now();
  test(name);
  console.log(`ok ${name} on Node ${process.version}, ${Math.round((Date.now() - started) / 1000)} s`);
}
console.log(`${names.length} consumers passed`);

function test(name) {
  const cwd = join(folder, name);
  cpSync(join(templates, name), cwd, { recursive: true });
  const { dependencies, devDependencies, scripts = {} } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'));
  if ('@nestjs/cli' in devDependencies) {
    cpSync(join(templates, 'set-up-check.mjs'), join(cwd, 'set-up-check.mjs'));
    install(cwd);
    testSetUp(cwd);
    return;
  }
  const [app, ...others] = APPS.find(([dependency]) => dependency in dependencies)[1];
  cpSync(join(templates, app), join(cwd, 'app.ts'));
  for (const other of others) cpSync(join(templates, other), join(cwd, other));
  for (const file of ['users.proto', 'users.spec.ts', 'loaded-scripts.mjs', ...CHECKS.map((check) => check.at(-1))])
    cpSync(join(templates, file), join(cwd, file));
  // The application and the tests of docs/testing.md.
  if (scripts.test) cpSync(join(templates, 'testing'), cwd, { recursive: true });

  install(cwd);
  // These packages are optional. If one were installed by accident, the test would not prove that the library works without it.
  for (const optional of ['@nestjs/microservices', '@opentelemetry/exporter-jaeger', 'prom-client']) {
    if (optional in dependencies) continue;
    assert(!existsSync(join(cwd, 'node_modules', optional)), `${optional} is installed in ${name}`);
  }

  run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], { cwd });
  for (const each of ['app.ts', ...others]) run(process.execPath, [`dist/${each.replace('.ts', '.js')}`], { cwd });
  for (const check of CHECKS) run(process.execPath, check, { cwd });
  if (scripts.test) npm(['test'], { cwd, stdio: 'inherit' });
}

function install(cwd) {
  npm(['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], { cwd, stdio: 'inherit' });
}
