import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse, parseDocument } from 'yaml';
import { scaledFolder, validate } from './support/collector.js';
import { dashboards } from './support/dashboards.js';
import { complaintOf, composeCommand, observabilityFolder } from './support/observability.js';

const storages = ['storage-opensearch', 'storage-elasticsearch', 'storage-cassandra', 'storage-memory'];

/** The roles in the README next to the files: each names the files that configure one process together. */
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

/** Jaeger as the compose file starts it. */
const composed = ['jaeger', 'storage-memory', join(observabilityFolder, 'jaeger-to-tempo.yaml')];

/** The files that must be added to a file that cannot configure a process by itself. */
const missing = { collector: [], ingester: ['storage-memory'], 'tail-sampling': ['collector'] };

/** The configuration whose exporter exists only in the Collector's contrib distribution. */
const CONTRIB = 'load-balancing.contrib';

describe("Jaeger's own validation", () => {
  it.each(roles.map((files) => [files.join(' + '), files] as const))('accepts %s', (_title, files) => {
    expect(validate(files)).toBe('');
  });

  it('accepts what the compose file adds to them', () => {
    expect(validate(composed)).toBe('');
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
    // In a container, Jaeger runs as another user, who must be able to read the file.
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

describe('every YAML file', () => {
  const files = readdirSync(observabilityFolder, { encoding: 'utf8', recursive: true });

  it.each(files.filter((file) => /\.ya?ml$/.test(file)))('%s loads', (file) => {
    const { errors, warnings } = parseDocument(readFileSync(join(observabilityFolder, file), 'utf8'));
    expect([...errors, ...warnings]).toEqual([]);
  });
});

describe('the compose file', () => {
  const file = join(observabilityFolder, 'compose.yaml');
  const { services } = parse(readFileSync(file, 'utf8')) as {
    services: Record<string, { image: string; command?: string[]; volumes: string[]; ports: string[] }>;
  };

  it.each([
    ['as it is', []],
    ['with tail sampling', ['--profile', 'tail-sampling']],
  ])("passes Docker Compose's own check, %s", (_title, profile) => {
    expect(complaintOf([...composeCommand(), '--file', file, ...profile, 'config', '--quiet'])).toBe('');
  });

  it('would not pass with a setting that Compose has not', () => {
    const folder = mkdtempSync(join(tmpdir(), 'nestjs-tracing-config-'));
    const broken = join(folder, 'compose.yaml');
    writeFileSync(broken, readFileSync(file, 'utf8').replace('ports:', 'prots:'));
    expect(complaintOf([...composeCommand(), '--file', broken, 'config', '--quiet'])).toContain('prots');
    rmSync(folder, { recursive: true });
  });

  it.each(Object.keys(services))('gives %s the files that it is told to read', (name) => {
    const { command = [], volumes } = services[name]!;
    const read = command.flatMap((argument) => /config(?:\.file)?=(.+)$/.exec(argument)?.[1] ?? []);
    for (const path of read) {
      const mounts = volumes.map((volume) => volume.split(':') as [source: string, target: string]);
      const [source, target] = mounts.find(([, target]) => `${path}/`.startsWith(`${target}/`)) ?? [];
      expect([path, existsSync(join(observabilityFolder, path.replace(target!, source!)))]).toEqual([path, true]);
    }
    expect(volumes.filter((volume) => !existsSync(join(observabilityFolder, volume.split(':')[0]!)))).toEqual([]);
  });

  it.each(Object.keys(services))('pins %s, and opens its ports to this machine only', (name) => {
    expect(services[name]!.image).toMatch(/:v?\d+\.\d+\.\d+$/);
    for (const port of services[name]!.ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });
});

describe('Grafana is given', () => {
  const file = join(observabilityFolder, 'grafana/provisioning/datasources/datasources.yaml');
  const { datasources } = parse(readFileSync(file, 'utf8')) as {
    datasources: { uid: string; jsonData: Record<string, unknown> }[];
  };

  it('datasources, none of which points at one that is missing', () => {
    const uids = datasources.map(({ uid }) => uid);
    const pointed = [...JSON.stringify(datasources).matchAll(/"datasourceUid":"(\w+)"/g)].map(([, uid]) => uid);
    expect(uids).toEqual(['prometheus', 'tempo', 'jaeger']);
    expect(new Set(pointed)).toEqual(new Set(['prometheus', 'tempo']));
  });

  it('no dollar sign that it would take for a variable of the environment', () => {
    expect(JSON.stringify(datasources).replaceAll('$$', '')).not.toContain('$');
  });

  it('the dashboards that their sources make', () => {
    expect(complaintOf([process.execPath, 'scripts/dashboards.mjs', '--check'])).toBe('');
  });

  it('panels with ids of their own, none over another', () => {
    for (const { panels } of dashboards()) {
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
      );
      expect(new Set(cells).size).toBe(cells.length);
    }
  });
});
