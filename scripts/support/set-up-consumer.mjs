/** Sets up a generated application with Nest's command line and the packed library, and migrates another one. Nothing is downloaded. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { run } from './run.mjs';

const START_FILE = `import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { NodeSDK } from '@opentelemetry/sdk-node';

const sdk = new NodeSDK({ traceExporter: new OTLPTraceExporter() });
sdk.start();
`;
const SERVICE = `import { Injectable } from '@nestjs/common';
import { Span, TraceService } from 'nestjs-otel';

@Injectable()
export class AppService {
  constructor(private readonly traces: TraceService) {}

  @Span('hello', (name?: string) => ({ attributes: { 'user.name': name ?? 'nobody' } }))
  getHello(_name?: string): string {
    this.traces.getSpan()?.addEvent('greeted');
    return 'Hello World!';
  }
}
`;

/** @param cwd the folder in which the packages are installed, with the check beside them */
export function testSetUp(cwd) {
  const node = (args, options) => run(process.execPath, args, { cwd, ...options });
  const nest = join(cwd, 'node_modules/@nestjs/cli/bin/nest.js');
  const app = join(cwd, 'app');
  const old = join(cwd, 'old');
  const compile = (folder) => {
    const options = ['--types', 'node', '--rootDir', 'src', '--outDir', 'dist'];
    node([join(cwd, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', ...options], { cwd: folder });
  };

  node([nest, 'new', 'app', '--skip-install', '--skip-git', '--package-manager', 'npm']);
  cpSync(app, old, { recursive: true });

  const add = () => node([nest, 'add', 'nestjs-tracing', '--skip-install', '--compose', 'grafana'], { cwd: app });
  add();
  const files = readFiles(app);
  assert.match(files.get('src/app.module.ts'), /imports: \[TracingModule\.forRoot\(\)\]/);
  assert.match(files.get('.env.example'), /OTEL_SERVICE_NAME=app/);
  assert.match(files.get('observability/grafana/dashboards/service-overview.json'), /"panels"/);
  add();
  assert.deepEqual(readFiles(app), files);
  compile(app);
  node(['../set-up-check.mjs'], { cwd: app });

  writeFileSync(join(old, 'src/app.service.ts'), SERVICE);
  writeFileSync(join(old, 'src/tracing.ts'), START_FILE);
  const main = join(old, 'src/main.ts');
  writeFileSync(main, `import './tracing.js';\n${readFileSync(main, 'utf8')}`);
  node([nest, 'generate', '--collection', 'nestjs-tracing', 'migrate'], { cwd: old });
  const migrated = readFiles(old);
  assert(!migrated.has('src/tracing.ts'));
  assert.doesNotMatch(migrated.get('src/main.ts'), /tracing\.js/);
  assert.match(migrated.get('src/app.module.ts'), /TracingModule\.forRoot\(\{ exporter: 'otlp' \}\)/);
  assert.match(migrated.get('src/app.service.ts'), /this\.traces\.activeSpan\?\.addEvent/);
  compile(old);
}

function readFiles(folder) {
  const paths = readdirSync(folder, { encoding: 'utf8', recursive: true });
  const files = paths.filter((path) => statSync(join(folder, path)).isFile());
  return new Map(files.map((path) => [path.replaceAll('\\', '/'), readFileSync(join(folder, path), 'utf8')]));
}
