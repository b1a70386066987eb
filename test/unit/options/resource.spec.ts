import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { findNearestPackage } from '../../../lib/options/package-info.js';
import { resolveResource } from '../../../lib/options/resource.js';
import type { TracingOptions } from '../../../lib/tracing.options.js';

const orders = { name: 'orders', version: '1.2.3' };

function service(
  options: TracingOptions,
  env: Record<string, string>,
  found = () => orders as typeof orders | undefined,
) {
  const { 'service.name': name, 'service.version': version } = resolveResource(options, env, found);
  return [name, version];
}

describe('resolveResource', () => {
  const attributes = { OTEL_RESOURCE_ATTRIBUTES: 'service.name=attr,service.version=9' };

  it.each<[options: TracingOptions, env: Record<string, string>, name: string, version: string | undefined]>([
    [{ serviceName: 'code', serviceVersion: '2' }, { OTEL_SERVICE_NAME: 'env', ...attributes }, 'code', '2'],
    [
      { resource: { 'service.name': 'res', 'service.version': '3' } },
      { OTEL_SERVICE_NAME: 'env', ...attributes },
      'res',
      '3',
    ],
    [{ serviceName: 'code', resource: { 'service.name': 'res' } }, {}, 'code', '1.2.3'],
    [{}, { OTEL_SERVICE_NAME: 'env', ...attributes }, 'env', '9'],
    [{}, attributes, 'attr', '9'],
    [{}, { OTEL_RESOURCE_ATTRIBUTES: 'service.name=' }, 'orders', '1.2.3'],
    [{}, {}, 'orders', '1.2.3'],
  ])('with %j and %j it is %s %s', (options, env, name, version) => {
    expect(service(options, env)).toEqual([name, version]);
  });

  it('has the name unknown_service:node without any other source', () => {
    expect(service({}, {}, () => undefined)).toEqual(['unknown_service:node', undefined]);
  });

  it('searches a package.json only if it is needed', () => {
    const find = jest.fn(() => orders);
    service({ serviceName: 'a', serviceVersion: '1' }, {}, find);
    expect(find).not.toHaveBeenCalled();
  });

  it('merges attributes of code and environment, percent-decoded', () => {
    const env = { OTEL_RESOURCE_ATTRIBUTES: 'team=a%2Cb%3D, region = eu ,host.name=pod-1' };
    const resource = { team: 'code', zones: ['x', 'y'], spare: undefined };
    expect(resolveResource({ resource }, env, () => orders)).toMatchObject({
      team: 'code',
      region: 'eu',
      zones: ['x', 'y'],
      'host.name': 'pod-1',
    });
    expect(resolveResource({}, env, () => orders).team).toBe('a,b=');
  });

  it('describes the process without its command line', () => {
    const resource = resolveResource({}, {}, () => orders);
    expect(resource).toMatchObject({
      'host.name': hostname(),
      'process.pid': process.pid,
      'process.runtime.name': 'nodejs',
      'process.runtime.version': process.versions.node,
    });
    expect(Object.keys(resource).filter((key) => key.includes('command'))).toEqual([]);
  });
});

describe('findNearestPackage', () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'package-info-'));
    mkdirSync(join(root, 'app', 'dist', 'broken'), { recursive: true });
    writeFileSync(join(root, 'app', 'package.json'), '{ "name": "app", "version": "1.0.0" }');
    writeFileSync(join(root, 'app', 'dist', 'package.json'), '{ "type": "module" }');
    writeFileSync(join(root, 'app', 'dist', 'broken', 'package.json'), '{ "name": ');
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it('skips a package.json without a name, and one that cannot be read', () => {
    expect(findNearestPackage(join(root, 'app', 'dist', 'broken'))).toEqual({ name: 'app', version: '1.0.0' });
  });

  it('ends at the root', () => {
    expect(findNearestPackage('/')).toBeUndefined();
  });
});
