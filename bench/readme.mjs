/**
 * Writes the results of the last full run into the README, and those of queries into the guide to databases.
 *
 *   node bench/readme.mjs [--check]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { format, resolveConfig } from 'prettier';
import { root } from '../scripts/support/run.mjs';
import { data } from './groups/data.mjs';

const PLATFORMS = ['fastify', 'express'];
const ROWS = [
  { ids: ['bare'], title: 'bare' },
  { ids: ['disabled'], title: '**nestjs-tracing**, disabled' },
  { ids: ['ours-1pc'], title: '**nestjs-tracing**, 1 % kept' },
  { ids: ['floor-1pc'], title: 'by hand, 1 % kept' },
  { ids: ['ours-3'], title: '**nestjs-tracing**: request, handler, one `@Span()`' },
  { ids: ['ours-metrics'], title: 'the same, with `metrics`' },
  { ids: ['floor-3'], title: 'by hand' },
  { ids: ['otel-http'], title: 'OpenTelemetry http alone' },
  { ids: ['otel-fastify', 'otel-express'], title: 'OpenTelemetry http, framework and nestjs-core' },
  { ids: ['nest-observe'], title: '@nestjs/observe' },
  { ids: ['dd-trace'], title: 'dd-trace' },
  { ids: ['sentry'], title: '@sentry/nestjs' },
];
const BETWEEN = /(?<=<!-- figures -->\n)[^]*?(?=<!-- \/figures -->)/;

const results = JSON.parse(readFileSync(join(root, 'bench/results/latest.json'), 'utf8'));

await write('README.md', requestFigures());
await write('docs/databases.md', queryFigures());

async function write(name, figures) {
  const file = join(root, name);
  const text = readFileSync(file, 'utf8');
  const options = await resolveConfig(file);
  const updated = await format(text.replace(BETWEEN, `\n${figures.join('\n')}\n\n`), { ...options, filepath: file });
  if (!process.argv.includes('--check')) writeFileSync(file, updated);
  else if (updated !== text) {
    console.error(`${name} does not show the figures of bench/results/latest.json. Run: node bench/readme.mjs`);
    process.exitCode = 1;
  }
}

function requestFigures() {
  const groups = PLATFORMS.map((platform) => results.groups[`http-${platform}, Node 24`]);
  const lines = ROWS.map(({ ids, title }) => `| ${title} | ${groups.map((group) => cell(group, ids)).join(' | ')} |`);
  const nest = `Nest ${groups[0].versions['@nestjs/core']}`;
  return ['| | Fastify | Express |', '|---|---|---|', ...lines, '', `Median microseconds, ${source(groups, [nest])}`];
}

function queryFigures() {
  const group = results.groups['data, Node 24'];
  const versions = Object.entries(group.versions).map(([name, version]) => `${name} ${version}`);
  return [...data.render(group).slice(2), '', source([group], versions)];
}

function source(groups, versions) {
  const { cores, cpu, system } = results.machine;
  const commits = [...new Set(groups.map(({ library }) => library.commit))].join(' and ');
  const days = [...new Set(groups.map(({ date }) => (date ?? results.date).slice(0, 10)))].join(' and ');
  const used = [`Node ${groups[0].node.replace('v', '')}`, ...versions].join(', ');
  return `${days}, ${used}, ${cpu}, ${cores} cores, ${system}, at ${commits}.`;
}

function cell({ rows }, ids) {
  const row = rows.find(({ id }) => ids.includes(id));
  if (!row) return '–';
  const { added, id, microseconds, spansPerRequest } = row;
  if (id === 'bare') return microseconds.median.toFixed(1);
  const spans =
    spansPerRequest >= 1 ? `, ${Math.round(spansPerRequest)} ${spansPerRequest < 1.5 ? 'span' : 'spans'}` : '';
  return `${microseconds.median.toFixed(1)} (+${Math.max(0, added.median).toFixed(1)})${spans}`;
}
