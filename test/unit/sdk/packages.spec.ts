import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadFromSdk, loadOptional, loadSdkNode } from '../../../lib/sdk/packages.js';
import { TracingConfigurationError, TracingPackageError } from '../../../lib/tracing.errors.js';

describe('loadSdkNode', () => {
  it('loads the SDK', () => {
    expect(typeof loadSdkNode().NodeSDK).toBe('function');
  });
});

describe('loadFromSdk', () => {
  const own = createRequire(import.meta.url);
  const sdk = createRequire(own.resolve('@opentelemetry/sdk-node'));

  it.each(['core', 'resources', 'sdk-trace', 'propagator-b3', 'exporter-trace-otlp-proto'])(
    'takes %s from the tree of the SDK, whatever lies beside us',
    (name) => {
      expect(loadFromSdk(`@opentelemetry/${name}`)).toBe(sdk(`@opentelemetry/${name}`));
    },
  );

  it('goes through another package', () => {
    const through = createRequire(sdk.resolve('@opentelemetry/otlp-grpc-exporter-base'));
    expect(loadFromSdk('@grpc/grpc-js', '@opentelemetry/otlp-grpc-exporter-base')).toBe(through('@grpc/grpc-js'));
  });

  it('looks beside us for what the SDK does not have', () => {
    expect(loadFromSdk('reflect-metadata')).toBe(own('reflect-metadata'));
    expect(() => loadFromSdk('not-to-be-found')).toThrow(/not-to-be-found/);
  });
});

describe('loadOptional', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'packages-'));
    mkdirSync(join(folder, 'broken'));
    writeFileSync(join(folder, 'broken', 'index.js'), 'require("a-part-that-is-gone");');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('loads what is installed', () => {
    expect(loadOptional('@opentelemetry/exporter-jaeger', 'exporter', 'jaeger')).toHaveProperty('JaegerExporter');
  });

  it('says what to install', () => {
    const call = () => loadOptional('not-to-be-found', 'exporter', 'jaeger');
    expect(call).toThrow(TracingPackageError);
    expect(call).toThrow('npm install not-to-be-found');
    expect(call).toThrow(expect.objectContaining({ option: 'exporter', packageName: 'not-to-be-found' }));
  });

  it('does not call a package missing that fails to load', () => {
    const call = () => loadOptional(join(folder, 'broken'), 'exporter', 'jaeger');
    expect(call).toThrow(TracingConfigurationError);
    expect(call).not.toThrow(TracingPackageError);
    expect(call).toThrow(/installed but fails to load: .*a-part-that-is-gone/);
    expect(call).toThrow(expect.objectContaining({ cause: expect.objectContaining({ code: 'MODULE_NOT_FOUND' }) }));
  });
});
