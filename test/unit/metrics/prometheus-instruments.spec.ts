import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as client from 'prom-client';
import { Gauge, Registry } from 'prom-client';
import { setDiagnosticsSink } from '../../../lib/core/diagnostics.js';
import type { PromClient } from '../../../lib/metrics/prom-client.js';
import { PrometheusInstruments } from '../../../lib/metrics/prometheus-instruments.js';
import { countHeld } from '../../support/garbage.js';
import { heapGrowth } from '../../support/heap.js';

const warnings: string[] = [];
beforeEach(() => setDiagnosticsSink({ warn: (message) => warnings.push(message) }));
afterEach(() => setDiagnosticsSink());

const describeMetric = (name: string) => ({ name, description: 'A metric.', unit: '', attributes: ['a'] });
const ACTIVE = describeMetric('active');
const CALLS = describeMetric('calls');
const DURATION = { ...describeMetric('duration'), buckets: [1] };

function application(registry: Registry): PrometheusInstruments {
  const instruments = new PrometheusInstruments(client as unknown as PromClient, registry, 100);
  instruments.acquire();
  return instruments;
}

async function values(registry: Registry): Promise<Record<string, number | undefined>> {
  const metrics = await registry.getMetricsAsJSON();
  return Object.fromEntries(metrics.map(({ name, values: [first] }) => [name, (first as { value: number }).value]));
}

describe('an up-down counter', () => {
  it('never falls below zero, and is correct after a reset of the registry', async () => {
    const registry = new Registry();
    const active = application(registry).upDownCounter(ACTIVE);
    active.add(1, { a: 'x' });
    active.add(1, { a: 'x' });
    registry.resetMetrics();
    expect(await values(registry)).toEqual({ active: 2 });
    active.add(-1, { a: 'x' });
    registry.resetMetrics();
    active.add(-1, { a: 'x' });
    expect(await values(registry)).toEqual({ active: 0 });
  });

  it('is correct after the registry was cleared', async () => {
    const registry = new Registry();
    const instruments = application(registry);
    const active = instruments.upDownCounter(ACTIVE);
    active.add(1, { a: 'x' });
    registry.clear();
    active.add(1, { a: 'x' });
    expect(await values(registry)).toEqual({ active: 2 });
  });
});

describe('a registry that was cleared', () => {
  it('has all metrics again after the next measurement, and they start at zero', async () => {
    const registry = new Registry();
    const instruments = application(registry);
    const calls = instruments.counter(CALLS);
    const duration = instruments.histogram(DURATION);
    calls.add(5, { a: 'x' });
    duration.record(1, { a: 'x' });
    registry.clear();
    duration.record(1, { a: 'x' });
    calls.add(2, { a: 'x' });
    expect(await values(registry)).toEqual({ calls_total: 2, duration: 1 });
  });

  it('has them again after they are read, or after another metric is created', () => {
    const registry = new Registry();
    const instruments = application(registry);
    instruments.counter(CALLS);
    instruments.observeGauge(describeMetric('observed'), () => []);
    registry.clear();
    instruments.restore();
    expect(registry.getMetricsAsArray().map(({ name }) => name)).toEqual(['calls_total', 'observed']);
    registry.clear();
    instruments.histogram(DURATION);
    expect(registry.getMetricsAsArray().map(({ name }) => name)).toEqual(['calls_total', 'observed', 'duration']);
  });

  it('has counters under their full name after they were rendered as OpenMetrics', async () => {
    const registry = new Registry<client.OpenMetricsContentType>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const calls = application(registry as unknown as Registry).counter(CALLS);
    await registry.metrics();
    registry.clear();
    calls.add(1, { a: 'x' });
    expect(registry.getSingleMetric('calls_total')).toBeDefined();
  });

  it('does not get the metrics of applications that have ended', () => {
    const registry = new Registry();
    const ended = application(registry);
    ended.counter(CALLS);
    ended.release();
    registry.clear();
    application(registry).histogram(DURATION);
    expect(registry.getMetricsAsArray().map(({ name }) => name)).toEqual(['duration']);
  });
});

it('does not restore a single metric that was removed', () => {
  const registry = new Registry();
  const instruments = application(registry);
  const calls = instruments.counter(CALLS);
  instruments.histogram(DURATION);
  registry.removeSingleMetric('calls_total');
  calls.add(1, { a: 'x' });
  instruments.restore();
  expect(registry.getMetricsAsArray().map(({ name }) => name)).toEqual(['duration']);
});

it('does not register a metric while the registry has another one of the same name', async () => {
  const registry = new Registry();
  new Gauge({ name: 'calls_total', help: 'Another.', registers: [registry] }).set(7);
  const calls = application(registry).counter(CALLS);
  calls.add(1, { a: 'x' });
  expect(await values(registry)).toEqual({ calls_total: 7 });
  expect(warnings.splice(0)).toEqual([expect.stringContaining('already has another metric calls_total')]);
  registry.clear();
  application(registry);
  expect(await values(registry)).toEqual({});
});

describe('an observed metric', () => {
  it('reads the newest application, and after its end the one before', async () => {
    const registry = new Registry();
    const [first, second] = [1, 2].map((value) =>
      application(registry).observeCounter(CALLS, () => [{ value, attributes: { a: 'x' } }]),
    );
    expect(await values(registry)).toEqual({ calls_total: 2 });
    second!();
    expect(await values(registry)).toEqual({ calls_total: 1 });
    first!();
    expect(registry.getSingleMetric('calls_total')).toBeUndefined();
  });

  it('does not keep its reader in memory after its end', async () => {
    const registry = new Registry();
    const reference = observe(registry);
    expect(await countHeld([reference])).toBe(0);
  });

  function observe(registry: Registry): WeakRef<object> {
    const statistics = { value: 1, attributes: { a: 'x' } };
    const stop = application(registry).observeGauge(ACTIVE, () => [statistics]);
    stop();
    return new WeakRef(statistics);
  }
});

it('does not keep long texts in memory from which label values were cut', async () => {
  const calls = application(new Registry()).counter(CALLS);
  const growth = await heapGrowth(() => {
    for (let i = 0; i < 50; i++) {
      const body = `${i} ${'x'.repeat(1_000_000)}`;
      calls.add(1, { a: body });
      calls.add(1, { a: body.slice(0, 20) });
    }
  });
  expect(growth).toBeLessThan(10_000_000);
});
