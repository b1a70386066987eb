import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';

interface Result {
  passed: boolean;
  problems: string[];
}

function check(files: Record<string, string>): Result {
  const folder = mkdtempSync(join(tmpdir(), 'architecture-'));
  for (const [file, text] of Object.entries(files)) {
    const path = join(folder, 'lib', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  const script = 'scripts/check-architecture.mjs';
  const { status, stderr } = spawnSync(process.execPath, [script, folder], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  return { passed: status === 0, problems: stderr.split('\n').filter((line) => line !== '') };
}

describe('check-architecture', () => {
  it('accepts the imports the design allows', () => {
    const result = check({
      'index.ts': `export { TracingModule } from './tracing.module.js';`,
      'tracing.module.ts': `
        import { Module } from '@nestjs/common';
        import { server } from './http/server.js';
        export class TracingModule { load() { return import('./sdk/bootstrap.js'); } }`,
      'tracing.options.ts': `import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node';`,
      'tracing.runtime.ts': `import type { ReadableSpan } from './tracing.options.js';`,
      'tracing.service.ts': `import { TRACING_RUNTIME } from './tracing.runtime.js';`,
      'core/operation.ts': `
        import { trace } from '@opentelemetry/api';
        import { Observable } from 'rxjs';
        import type { ExecutionContext } from '@nestjs/common';
        import { AsyncLocalStorage } from 'node:async_hooks';`,
      'propagation/b3.ts': `
        import { trace } from '@opentelemetry/api';
        import { start } from '../core/operation.js';`,
      'http/server.ts': `
        import { start } from '../core/operation.js';
        import type { Options } from '../tracing.options.js';`,
      'sdk/bootstrap.ts': `
        import nodeRequire from './require.cjs';
        import { b3 } from '../propagation/b3.js';
        const jaeger = nodeRequire('@opentelemetry/exporter-jaeger');`,
      'sdk/require.cts': `export = require;`,
    });

    expect(result).toEqual({ passed: true, problems: [] });
  });

  describe('reports', () => {
    let result: Result;

    beforeAll(() => {
      result = check({
        'index.ts': `export { send } from './messaging/client.js';`,
        'tracing.service.ts': `import { start } from './sdk/bootstrap.js';`,
        'sdk/bootstrap.ts': ``,
        'http/attributes.ts': ``,
        'decorators/span.ts': `import { a } from '../http/attributes.js';`,
        'decorators/baggage.ts': `type A = import('../http/attributes.js').A;`,
        'grpc/server.ts': `import type { A } from '../index.js';`,
        'grpc/client.ts': `import { a } from './nowhere.js';`,
        'metrics/meter.ts': `const sdk = await import('@opentelemetry/sdk-metrics');`,
        'core/settle.ts': `\nimport { Logger } from '@nestjs/common';`,
        'messaging/client.ts': `import { Metadata } from '@grpc/grpc-js';`,
        'propagation/jaeger.ts': `import { isTracingSuppressed } from '@opentelemetry/core';`,
        'http/headers.ts': `import { jaeger } from '../propagation/jaeger.js';`,
        'helpers/utils.ts': ``,
        'core/a.ts': `import { b } from './b.js';`,
        'core/b.ts': `import type { C } from './c.js';`,
        'core/c.ts': `export { a } from './a.js';`,
      });
    });

    it.each([
      [
        'an import of a sibling part',
        'lib/decorators/span.ts:1 imports lib/http/attributes.ts: decorators/ may import core/, options, options/, errors and itself',
      ],
      [
        'a type of a sibling part',
        'lib/decorators/baggage.ts:1 imports lib/http/attributes.ts: decorators/ may import core/, options, options/, errors and itself',
      ],
      [
        'an import past the part in between',
        'lib/tracing.service.ts:1 imports lib/sdk/bootstrap.ts: service may import core/, options, runtime and itself',
      ],
      ['an import of the index', 'lib/grpc/server.ts:1 imports the index: import the file that declares the name'],
      ['an import of a missing file', 'lib/grpc/client.ts:1 imports ./nowhere.js, which is no file of lib/'],
      [
        'an SDK package outside sdk/',
        'lib/metrics/meter.ts:1 imports @opentelemetry/sdk-metrics: only sdk/ may know the SDK',
      ],
      [
        'Nest at run time in core/',
        'lib/core/settle.ts:2 imports @nestjs/common: core/ may import the OpenTelemetry API, semantic conventions, rxjs, reflect-metadata, Node, and types of Nest',
      ],
      [
        'more than the API in propagation/',
        'lib/propagation/jaeger.ts:1 imports @opentelemetry/core: propagation/ may import the OpenTelemetry API and Node',
      ],
      [
        'formats of propagation where requests are served',
        'lib/http/headers.ts:1 imports lib/propagation/jaeger.ts: http/ may import core/, options, options/, errors and itself',
      ],
      [
        'an optional package that loads together with the index',
        'lib/messaging/client.ts:1 loads @grpc/grpc-js together with the index: load it where it is used',
      ],
      ['a file of no part', 'lib/helpers/utils.ts belongs to no part: add it to the table in this script'],
      ['a cycle, also one of types', 'import cycle: lib/core/a.ts → lib/core/b.ts → lib/core/c.ts → lib/core/a.ts'],
    ])('%s', (_, problem) => {
      expect(result.problems).toContain(problem);
    });

    it('nothing else', () => {
      expect(result).toMatchObject({ passed: false, problems: { length: 12 } });
    });
  });
});
