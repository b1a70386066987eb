import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../../lib/options/resolve-options.js';

function errorOf(options: object): { message: string; value: unknown } {
  try {
    resolveOptions(options, {}, () => undefined);
  } catch (error) {
    return error as { message: string; value: unknown };
  }
  throw new Error('The options were accepted.');
}

describe('the error of an option', () => {
  it.each<[object, string, unknown]>([
    [{ sampler: { ratio: 3 } }, '"sampler.ratio" is 3.', 3],
    [{ sampler: { ratio: '3' } }, '"sampler.ratio" is "3".', '3'],
    [{ batch: { maxQueueSize: Number.NaN } }, '"batch.maxQueueSize" is NaN.', Number.NaN],
    [{ enabled: 1 }, '"enabled" is 1.', 1],
    [{ enabled: 'yes' }, '"enabled" is "yes".', 'yes'],
    [{ enabled: null }, '"enabled" is null.', null],
    [{ spanProcessors: ['batch'] }, '"spanProcessors[0]" is a text.', 'a text'],
    [{ metrics: { registry: {} } }, '"metrics.registry" is an object.', 'an object'],
    [{ metrics: { type: 'opentelemetry', meterProvider: 3 } }, '"metrics.meterProvider" is a number.', 'a number'],
    [
      { exporter: { type: 'otlp', headers: { 'x-api-key': true } } },
      '"exporter.headers.x-api-key" is a boolean.',
      'a boolean',
    ],
    [
      { exporter: { type: 'otlp', headers: { 'x-api-key': 'a\nb' } } },
      '"exporter.headers.x-api-key" is a text.',
      'a text',
    ],
    [{ exporter: { type: 'otlp', headers: ['key'] } }, '"exporter.headers" is a list.', 'a list'],
    [{ htp: {} }, '"htp" is an object.', 'an object'],
  ])('for %j says that %s', (options, message, value) => {
    expect(errorOf(options).message).toContain(message);
    expect(errorOf(options).value).toEqual(value);
  });
});
