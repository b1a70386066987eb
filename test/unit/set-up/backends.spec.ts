import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { parse } from 'yaml';
import { addBackends } from '../../../lib/set-up/backends.js';
import { Project } from '../../../lib/set-up/project.js';
import { MemoryTree } from '../../support/memory-tree.js';

const root = join(import.meta.dirname, '../../..');
const observability = join(root, 'sample/02-shop/observability');

interface Compose {
  services: Record<string, { volumes?: string[]; profiles?: string[] }>;
}

describe('the compose file for Grafana', () => {
  const tree = new MemoryTree({ 'package.json': '{ "name": "orders" }' });
  const project = new Project(tree, ts);
  const application = { name: undefined, sourceRoot: '/src', others: [], entry: '/src/main' };
  const paths = JSON.parse(readFileSync(join(root, 'scripts/build/templates.json'), 'utf8')) as string[];
  const templates = { paths, read: (path: string) => readFileSync(join(observability, path), 'utf8') };
  addBackends(project, application, 'grafana', () => templates);
  const { services } = parse(tree.text('observability/compose.yaml')!) as Compose;

  it('has the services of the sample, without those that only the sample needs', () => {
    expect(Object.keys(services)).toEqual(['jaeger', 'tempo', 'prometheus', 'grafana']);
  });

  it('has every file that a service reads', () => {
    const sources = Object.values(services).flatMap(({ volumes = [] }) =>
      volumes.map((volume) => volume.split(':')[0]!),
    );
    expect(sources.length).toBeGreaterThan(4);
    const paths = [...tree.files.keys()];
    for (const source of sources) {
      const path = join('/observability', source);
      expect(paths.filter((each) => each === path || each.startsWith(`${path}/`))).not.toEqual([]);
    }
  });

  it('scrapes the application under the name that it has in traces', () => {
    const { rule_files, scrape_configs } = parse(tree.text('observability/prometheus/prometheus.yaml')!) as {
      rule_files: string[];
      scrape_configs: { job_name: string }[];
    };
    expect(scrape_configs.map(({ job_name }) => job_name)).toEqual(['orders']);
    expect(rule_files.map((file) => tree.text(`observability/prometheus/${file}`))).not.toContain(undefined);
  });
});
