import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { setDiagnosticsSink } from '../../../lib/core/diagnostics.js';
import { Series } from '../../../lib/metrics/series.js';

const warnings: string[] = [];
beforeEach(() => setDiagnosticsSink({ warn: (message) => warnings.push(message) }));
afterEach(() => setDiagnosticsSink());

it('returns the same labels for the same attributes, in any order and of any type', () => {
  const series = new Series('requests', ['a.b', 'c', 'd'], 10);
  expect(series.labelNames).toEqual(['a_b', 'c', 'd', 'otel_metric_overflow']);
  const labels = series.labels({ c: 200, 'a.b': 'x' });
  expect(labels).toEqual({ a_b: 'x', c: '200' });
  expect(series.labels({ 'a.b': 'x', c: '200' })).toBe(labels);
});

it('omits attributes that were not declared, and cuts long values', () => {
  const series = new Series('requests', ['a'], 10);
  expect(series.labels({ a: 'x'.repeat(1000), path: '/secret' })).toEqual({ a: 'x'.repeat(256) });
});

it('distinguishes equal values of different attributes', () => {
  const series = new Series('requests', ['a', 'b'], 10);
  expect(series.labels({ a: 'x' })).not.toBe(series.labels({ b: 'x' }));
});

it('keeps its limit, still returns known series, and warns once', () => {
  const series = new Series('requests', ['id'], 2);
  const ids = ['1', '2', '3', '4', '1', '5'].map((id) => series.labels({ id }));
  const overflow = { otel_metric_overflow: 'true' };
  expect(ids).toEqual([{ id: '1' }, { id: '2' }, overflow, overflow, { id: '1' }, overflow]);
  expect(warnings).toEqual([
    'The metric requests has 2 series: further ones are counted under otel_metric_overflow="true". Look for an attribute with too many values, or raise metrics.cardinalityLimit.',
  ]);
});
