import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { resolveMetrics, type MetricsOptions } from '../../../lib/options/metrics.js';
import { resolveOptions } from '../../../lib/options/resolve-options.js';
import type { HttpRequest } from '../../../lib/options/http.js';

const metrics = (options?: unknown) => resolveMetrics(options as MetricsOptions);

class Guard {
  canActivate(): boolean {
    return true;
  }
}

describe('metrics', () => {
  it('are undefined by default', () => {
    expect([metrics(undefined), metrics(false)]).toEqual([undefined, undefined]);
  });

  it('have defaults', () => {
    expect(metrics({})).toEqual({
      type: 'prometheus',
      place: { path: '/metrics', guards: [] },
      registry: undefined,
      defaultMetrics: true,
      cardinalityLimit: 2000,
    });
    expect(metrics({ type: 'opentelemetry' })).toEqual({ type: 'opentelemetry', meterProvider: undefined });
  });

  it('accept values, and texts from configuration files', () => {
    const registry = new Registry();
    const guard = new Guard();
    const given = { defaultMetrics: 'false', cardinalityLimit: '10', registry, guards: [Guard, guard], path: '/m' };
    expect(metrics(given)).toMatchObject({
      place: { path: '/m', guards: [Guard, guard] },
      registry,
      defaultMetrics: false,
      cardinalityLimit: 10,
    });
    expect(metrics({ port: '9464', host: '::1' })).toMatchObject({
      place: { path: '/metrics', port: 9464, host: '::1' },
    });
    expect(metrics({ path: false })).toMatchObject({ place: undefined });
  });

  it.each<[given: unknown, option: string, fix: string]>([
    ['on', 'metrics', 'Use true, false, or an object with options.'],
    [[], 'metrics', 'Give an object'],
    [{ prot: 1 }, 'metrics.prot', 'Did you mean "port"?'],
    [{ type: 'promethues' }, 'metrics.type', 'Did you mean "prometheus"?'],
    [{ type: 'opentelemetry', path: '/metrics' }, 'metrics.path', 'type, meterProvider'],
    [{ path: 'metrics' }, 'metrics.path', 'Write a fixed path, such as /metrics.'],
    [{ path: '/:id' }, 'metrics.path', 'Write a fixed path'],
    [{ path: '/m?x' }, 'metrics.path', 'Write a fixed path'],
    [{ path: '' }, 'metrics.path', 'Give a text'],
    [{ port: 70_000 }, 'metrics.port', 'Use a whole number from 0 to 65535.'],
    [{ port: 'abc' }, 'metrics.port', 'Use a whole number'],
    [{ host: '::1' }, 'metrics.host', 'It goes with metrics.port'],
    [{ port: 1, guards: [Guard] }, 'metrics.guards', 'They guard the route of the application'],
    [{ port: 1, path: false }, 'metrics.path', 'Leave it out for /metrics'],
    [{ guards: Guard }, 'metrics.guards', 'Give a list of guards'],
    [{ guards: [Guard, 'admin'] }, 'metrics.guards[1]', 'Give a list of guards'],
    [{ registry: {} }, 'metrics.registry', 'Give a Registry of prom-client'],
    [{ cardinalityLimit: 0 }, 'metrics.cardinalityLimit', 'Use a whole number of at least 1.'],
    [{ defaultMetrics: 'yes' }, 'metrics.defaultMetrics', 'Use true or false.'],
    [{ type: 'opentelemetry', meterProvider: {} }, 'metrics.meterProvider', 'Give a MeterProvider of OpenTelemetry'],
  ])('refuse %j with the name and the fix', (given, option, fix) => {
    expect(() => metrics(given)).toThrow(expect.objectContaining({ option, message: expect.stringContaining(fix) }));
  });
});

describe('requests for the metrics of the application', () => {
  const ignores = (options: object, url: string) =>
    resolveOptions({ ...options }, {}, () => undefined).http?.ignore?.({ method: 'GET', url } as HttpRequest);

  it.each<[options: object, url: string, ignored: boolean | undefined]>([
    [{ metrics: {} }, '/metrics', true],
    [{ metrics: {} }, '/metrics/?x=1', true],
    [{ metrics: {} }, '/metrics/more', false],
    [{ metrics: { path: '/m' } }, '/metrics', false],
    [{ metrics: {}, http: { ignore: '/health' } }, '/health', true],
    [{ metrics: { port: 9464 } }, '/metrics', undefined],
    [{ metrics: { path: false } }, '/metrics', undefined],
    [{ metrics: { type: 'opentelemetry' } }, '/metrics', undefined],
    [{}, '/metrics', undefined],
  ])('with %j, %s is ignored: %s', (options, url, ignored) => {
    expect(ignores(options, url)).toBe(ignored);
  });
});
