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
      'options/sdk-types.ts': `import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node';`,
      'options/http.ts': `import { TracingConfigurationError } from '../tracing.errors.js';`,
      'options/resolve-options.ts': `
        import type { TracingOptions } from '../tracing.options.js';
        import { resolveHttp } from './http.js';`,
      'tracing.errors.ts': ``,
      'tracing.options.ts': `import type { HttpOptions } from './options/http.js';`,
      'tracing.runtime.ts': `import type { ReadableSpan } from './options/sdk-types.js';`,
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
        import type { ResolvedHttp } from '../options/http.js';`,
      'sdk/bootstrap.ts': `
        import nodeRequire from './require.cjs';
        import { b3 } from '../propagation/b3.js';
        import type { ResolvedOptions } from '../options/resolve-options.js';
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
        'tracing.options.ts': ``,
        'options/http.ts': `import type { TracingOptions } from '../tracing.options.js';`,
        'options/batch.ts': `import type { ReadableSpan } from '@opentelemetry/sdk-node';`,
        'options/resolve-options.ts': ``,
        'http/request.ts': `import type { ResolvedOptions } from '../options/resolve-options.js';`,
        'helpers/utils.ts': ``,
        'core/a.ts': `import { b } from './b.js';`,
        'core/b.ts': `import type { C } from './c.js';`,
        'core/c.ts': `export { a } from './a.js';`,
      });
    });

    it.each([
      [
        'an import of a sibling part',
        'lib/decorators/span.ts:1 imports lib/http/attributes.ts: decorators/ may import core/, options/, errors and itself',
      ],
      [
        'a type of a sibling part',
        'lib/decorators/baggage.ts:1 imports lib/http/attributes.ts: decorators/ may import core/, options/, errors and itself',
      ],
      [
        'an import past the part in between',
        'lib/tracing.service.ts:1 imports lib/sdk/bootstrap.ts: service may import core/, options/, runtime and itself',
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
        'lib/http/headers.ts:1 imports lib/propagation/jaeger.ts: http/ may import core/, options/, errors and itself',
      ],
      [
        'the whole of the options in a group of them',
        'lib/options/http.ts:1 imports lib/tracing.options.ts: options/ may import core/, packages/, errors and itself',
      ],
      [
        'the whole of the resolved options where one group is enough',
        'lib/http/request.ts:1 imports lib/options/resolve-options.ts: http/ may import core/, options/, errors and itself',
      ],
      [
        'a type of the SDK outside of the file that passes such types on',
        'lib/options/batch.ts:1 imports @opentelemetry/sdk-node: only sdk/ may know the SDK',
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
      expect(result).toMatchObject({ passed: false, problems: { length: 15 } });
    });
  });
});
