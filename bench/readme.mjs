/**
 * Writes the results of the last full run into the README.
 *
 *   node bench/readme.mjs [--check]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { format, resolveConfig } from 'prettier';
import { root } from '../scripts/support/run.mjs';

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

const file = join(root, 'README.md');
const results = JSON.parse(readFileSync(join(root, 'bench/results/latest.json'), 'utf8'));
const readme = readFileSync(file, 'utf8');
const options = await resolveConfig(file);
const updated = await format(readme.replace(BETWEEN, `\n${figures()}\n\n`), { ...options, filepath: file });

if (!process.argv.includes('--check')) writeFileSync(file, updated);
else if (updated !== readme) {
  console.error('README.md does not show the figures of bench/results/latest.json. Run: node bench/readme.mjs');
  process.exit(1);
}

function figures() {
  const groups = PLATFORMS.map((platform) => results.groups[`http-${platform}, Node 24`]);
  const lines = ROWS.map(({ ids, title }) => `| ${title} | ${groups.map((group) => cell(group, ids)).join(' | ')} |`);
  const { cores, cpu, system } = results.machine;
  const commits = [...new Set(groups.map(({ library }) => library.commit))].join(' and ');
  const versions = `Node ${groups[0].node.replace('v', '')}, Nest ${groups[0].versions['@nestjs/core']}`;
  return [
    '| | Fastify | Express |',
    '|---|---|---|',
    ...lines,
    '',
    `Median microseconds, ${results.date.slice(0, 10)}, ${versions}, ${cpu}, ${cores} cores, ${system}, at ${commits}.`,
  ].join('\n');
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
