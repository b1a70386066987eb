import { describe, expect, it } from '@jest/globals';
import { Counter, Gauge, Histogram, Registry, Summary } from 'prom-client';
import { expose } from '../../../lib/metrics/exposition.js';

const OPENMETRICS = 'application/openmetrics-text';

const text = async (registry: Registry) => (await expose(registry, undefined)).body;
const openMetrics = async (registry: Registry) => (await expose(registry, OPENMETRICS)).body;

describe('the exposition of a registry', () => {
  it('is empty for an empty registry', async () => {
    await expect(text(new Registry())).resolves.toBe('');
    await expect(openMetrics(new Registry())).resolves.toBe('# EOF\n');
  });

  it('has counters with their suffix, as each format requires it', async () => {
    const registry = new Registry();
    new Counter({ name: 'orders_total', help: 'Orders.', registers: [registry], labelNames: ['kind'] }).inc(
      { kind: 'a' },
      2,
    );
    await expect(text(registry)).resolves.toBe(
      '# HELP orders_total Orders.\n# TYPE orders_total counter\norders_total{kind="a"} 2\n',
    );
    await expect(openMetrics(registry)).resolves.toBe(
      '# HELP orders Orders.\n# TYPE orders counter\norders_total{kind="a"} 2\n# EOF\n',
    );
  });

  it('adds the suffix of a counter only for OpenMetrics, which requires it', async () => {
    const registry = new Registry();
    new Counter({ name: 'orders', help: 'Orders.', registers: [registry] }).inc(2);
    await expect(text(registry)).resolves.toBe('# HELP orders Orders.\n# TYPE orders counter\norders 2\n');
    await expect(openMetrics(registry)).resolves.toBe(
      '# HELP orders Orders.\n# TYPE orders counter\norders_total 2\n# EOF\n',
    );
  });

  it('restores the suffix of a counter that prom-client has removed', async () => {
    const registry = new Registry() as Registry<never>;
    new Counter({ name: 'orders_total', help: 'Orders.', registers: [registry] }).inc(2);
    const before = await text(registry);
    (registry as { setContentType(type: string): void }).setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    await registry.metrics();
    await expect(text(registry)).resolves.toBe(before);
  });

  it('escapes backslashes, line breaks and quotes', async () => {
    const registry = new Registry();
    const help = 'A "quoted" \\ text\nof two lines';
    new Gauge({ name: 'odd', help, registers: [registry], labelNames: ['value'] }).set({ value: 'a "b" \\ c\nd' }, 1);
    const sample = 'odd{value="a \\"b\\" \\\\ c\\nd"} 1\n';
    await expect(text(registry)).resolves.toBe(
      `# HELP odd A "quoted" \\\\ text\\nof two lines\n# TYPE odd gauge\n${sample}`,
    );
    await expect(openMetrics(registry)).resolves.toBe(
      `# HELP odd A \\"quoted\\" \\\\ text\\nof two lines\n# TYPE odd gauge\n${sample}# EOF\n`,
    );
  });

  it.each([
    [Infinity, '+Inf'],
    [-Infinity, '-Inf'],
    [NaN, 'NaN'],
    [1e-7, '1e-7'],
    [12345678901234, '12345678901234'],
  ])('writes %s as %s', async (value, written) => {
    const registry = new Registry();
    new Gauge({ name: 'g', help: 'G.', registers: [registry] }).set(value);
    await expect(text(registry)).resolves.toContain(`\ng ${written}\n`);
  });

  it('has histograms with bounds, sums and exemplars, and summaries with quantiles', async () => {
    const registry = new Registry();
    const histogram = new Histogram({ name: 'd', help: 'D.', registers: [], buckets: [0.5, 1], enableExemplars: true });
    registry.registerMetric(histogram);
    histogram.observe({ value: 0.7, exemplarLabels: { trace_id: 'abc' } });
    histogram.observe({ value: 7, exemplarLabels: {} });
    new Summary({ name: 's', help: 'S.', registers: [registry], percentiles: [0.5, 1] }).observe(3);
    const body = await openMetrics(registry);
    expect(body.replace(/ \d{10}\.\d{3}\n/, ' NOW\n')).toBe(
      [
        '# HELP d D.',
        '# TYPE d histogram',
        'd_bucket{le="0.5"} 0',
        'd_bucket{le="1.0"} 1 # {trace_id="abc"} 0.7 NOW',
        'd_bucket{le="+Inf"} 2',
        'd_sum 7.7',
        'd_count 2',
        '# HELP s S.',
        '# TYPE s summary',
        's{quantile="0.5"} 3',
        's{quantile="1.0"} 3',
        's_sum 3',
        's_count 1',
        '# EOF',
        '',
      ].join('\n'),
    );
    await expect(text(registry)).resolves.toContain('d_bucket{le="1"} 1\n');
  });
});
