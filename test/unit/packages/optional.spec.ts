import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadOptional } from '../../../lib/packages/optional.js';
import { TracingConfigurationError, TracingPackageError } from '../../../lib/tracing.errors.js';

describe('loadOptional', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'packages-'));
    mkdirSync(join(folder, 'broken'));
    writeFileSync(join(folder, 'broken', 'index.js'), 'require("a-part-that-is-gone");');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('loads an installed package', () => {
    expect(loadOptional('@opentelemetry/exporter-jaeger', 'exporter', 'jaeger')).toHaveProperty('JaegerExporter');
  });

  it('names the package to install', () => {
    const call = () => loadOptional('not-to-be-found', 'exporter', 'jaeger');
    expect(call).toThrow(TracingPackageError);
    expect(call).toThrow('npm install not-to-be-found');
    expect(call).toThrow(expect.objectContaining({ option: 'exporter', packageName: 'not-to-be-found' }));
  });

  it('reports the error of a package that fails to load', () => {
    const call = () => loadOptional(join(folder, 'broken'), 'exporter', 'jaeger');
    expect(call).toThrow(TracingConfigurationError);
    expect(call).not.toThrow(TracingPackageError);
    expect(call).toThrow(/installed but fails to load: .*a-part-that-is-gone/);
    expect(call).toThrow(expect.objectContaining({ cause: expect.objectContaining({ code: 'MODULE_NOT_FOUND' }) }));
  });
});
