import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { scaledFolder, validate } from './support/collector.js';

const storages = ['storage-opensearch', 'storage-elasticsearch', 'storage-cassandra', 'storage-memory'];

/** The roles of the README beside the files: which of them make a process together. */
const roles = [
  ['collector'],
  ['collector', 'tail-sampling'],
  ['collector', 'kafka-out'],
  ['collector', 'tail-sampling', 'kafka-out'],
  ...storages.flatMap((storage) => [
    ['jaeger', storage],
    ['query', storage],
    ['ingester', storage],
    ['ingester', 'tail-sampling', storage],
  ]),
];

/** What makes a process of a file that is none by itself. */
const missing = { collector: [], ingester: ['storage-memory'], 'tail-sampling': ['collector'] };

/** Only the Collector's contrib distribution has the exporter for it. */
const CONTRIB = 'load-balancing.contrib';

describe("Jaeger's own validation", () => {
  it.each(roles.map((files) => [files.join(' + '), files] as const))('accepts %s', (_title, files) => {
    expect(validate(files)).toBe('');
  });

  it('is asked about every file there is', () => {
    const files = readdirSync(scaledFolder).filter((file) => file.endsWith('.yaml'));
    expect([...new Set(roles.flat()), CONTRIB].map((name) => `${name}.yaml`).toSorted()).toEqual(files.toSorted());
  });

  it('has nothing against the load-balancing layer but the exporter that it lacks', () => {
    expect(validate(['collector', CONTRIB])).toMatch(/'exporters' unknown type: "loadbalancing" .*valid values/);
    expect(validate(['collector', CONTRIB])).not.toMatch(/'(receivers|processors|extensions)'/);
  });
});

describe('a broken configuration is refused', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nestjs-tracing-config-'));
    // In a container Jaeger is another user.
    chmodSync(folder, 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['collector', 'an unknown setting', 'send_batch_size', 'send_batch_sizes', 'send_batch_sizes'],
    ['collector', 'a processor that is not there', 'memory_limiter, batch', 'memory_limiter, bach', '"bach"'],
    ['collector', 'a duration that is none', 'timeout: 1s', 'timeout: soon', 'timeout'],
    ['ingester', 'a strategy that Kafka has not', 'sticky', 'cooperative', 'rebalance_strategy'],
    ['tail-sampling', 'a policy with an unknown setting', 'threshold_ms', 'threshold', 'threshold'],
  ] as const)('%s with %s', (name, _title, right, wrong, complaint) => {
    const text = readFileSync(join(scaledFolder, `${name}.yaml`), 'utf8');
    expect(text).toContain(right);
    const file = join(folder, 'broken.yaml');
    writeFileSync(file, text.replace(right, wrong));
    expect(validate([...missing[name], file])).toContain(complaint);
  });
});
