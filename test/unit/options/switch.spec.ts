import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../../lib/options/resolve-options.js';
import { inferred, inGroups } from './given-types.js';

const resolve = (options: object) => resolveOptions(options, {}, () => undefined);

const GROUPS = [
  'http',
  'grpc',
  'messaging',
  'data',
  'jobs',
  'websockets',
  'graphql',
  'events',
  'metrics',
  'logs',
] as const;

describe.each(GROUPS)('the option %s', (group) => {
  it.each([true, 'true', ' TRUE '])('with %p is the same as with an empty object', (given) => {
    const options = resolve({ [group]: given });
    expect(options[group]).toBeDefined();
    expect(JSON.stringify(options)).toBe(JSON.stringify(resolve({ [group]: {} })));
  });

  it.each([false, 'false', 'False'])('with %p switches it off', (given) => {
    expect(resolve({ [group]: given })[group]).toBeUndefined();
  });

  it.each([1, 'on', null, () => true])('refuses %p', (given) => {
    expect(() => resolve({ [group]: given })).toThrow(
      expect.objectContaining({ option: group, fix: 'Use true, false, or an object with options.' }),
    );
  });
});

it.each([
  ['http.client', { http: { client: 'false' } }, 'httpClient'],
  ['nest.lifecycle', { nest: { lifecycle: 'false' } }, 'lifecycle'],
  ['all of HTTP', { http: false }, 'httpClient'],
] as const)('%s can be switched off', (_what, options, resolved) => {
  expect(resolve(options)[resolved]).toBeUndefined();
});

it('accepts all that the types accept', () => {
  expect(resolve(inGroups)).toMatchObject({
    httpClient: expect.anything(),
    http: { response: { traceId: 'x-trace-id', serverTiming: true } },
    grpc: { messageEvents: true, responseTraceId: 'x-trace-id' },
    data: { redis: { queryText: true, parameters: false, maxQueryTextLength: 100 } },
    sampler: { type: 'traceidratio', ratio: 0.1, keep: { errors: true, slowerThan: 500 } },
    exporters: [
      { timeout: 1000, headers: { 'x-api-key': 'key', 'x-tenant': '7' } },
      { type: 'jaeger', port: 6832 },
    ],
    batch: { maxQueueSize: 10, scheduledDelay: 1000 },
    limits: { attributeCount: 10 },
    metrics: { place: { port: 9464 }, defaultMetrics: false },
    shutdown: { timeout: 100, onProcessExit: true },
  });
  expect(resolve(inGroups).data).not.toHaveProperty('postgres');
  expect(resolve(inferred).http).toBeDefined();
});

describe('the response', () => {
  it('tells nothing unless it is asked for', () => {
    for (const response of [undefined, {}, { serverTiming: false }]) {
      expect(resolve({ response }).http?.response).toBeUndefined();
      expect(resolve({ response }).grpc?.responseTraceId).toBeUndefined();
    }
  });

  it.each([
    'x trace',
    '',
    true,
    'Content-Length',
    'set-cookie',
    'Server-Timing',
    'trace-bin',
    'grpc-status',
    'x!trace',
  ])('refuses the header %p', (traceId) => {
    expect(() => resolve({ response: { traceId } })).toThrow(expect.objectContaining({ option: 'response.traceId' }));
  });
});
