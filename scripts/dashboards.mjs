/**
 * Writes the shop's Grafana dashboards from their TypeScript sources.
 *
 *   node scripts/dashboards.mjs [--check]
 *
 * With `--check` it writes nothing, and fails if a file differs from its source.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { transformFileSync } from '@swc/core';
import { format, resolveConfig } from 'prettier';
import { root } from './support/run.mjs';

const folder = join(root, 'sample/02-shop/observability');
const target = join(folder, 'grafana/dashboards');

const texts = await dashboardTexts();
const outdated = [...texts].filter(([file, text]) => !existsSync(file) || readFileSync(file, 'utf8') !== text);
const obsoleteFiles = readdirSync(target)
  .map((name) => join(target, name))
  .filter((file) => !texts.has(file));

if (process.argv.includes('--check')) {
  const wrong = [...outdated.map(([file]) => file), ...obsoleteFiles].map((file) => relative(root, file));
  for (const file of wrong) console.error(`${file} differs from its source: run node scripts/dashboards.mjs`);
  console.log(`${texts.size} dashboards, ${wrong.length} problems`);
  process.exit(wrong.length > 0 ? 1 : 0);
}
for (const [file, text] of outdated) writeFileSync(file, text);
for (const file of obsoleteFiles) rmSync(file);
console.log(`${texts.size} dashboards, ${outdated.length} written`);

async function dashboardTexts() {
  const dashboards = await loadDashboards(join(folder, 'dashboards'));
  const textsByFile = new Map();
  for (const [name, dashboard] of Object.entries(dashboards)) {
    const file = join(target, `${name}.json`);
    const style = await resolveConfig(file);
    textsByFile.set(file, await format(JSON.stringify(dashboard), { ...style, filepath: file }));
  }
  return textsByFile;
}

/** Compiles the sources and imports them, because Node 20 does not run TypeScript. */
async function loadDashboards(sources) {
  const cache = join(root, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const output = mkdtempSync(join(cache, 'nestjs-tracing-dashboards-'));
  try {
    writeFileSync(join(output, 'package.json'), '{ "type": "module" }');
    for (const file of readdirSync(sources)) {
      writeFileSync(join(output, file.replace(/\.ts$/, '.js')), transformFileSync(join(sources, file)).code);
    }
    return (await import(pathToFileURL(join(output, 'index.js')).href)).dashboards;
  } finally {
    rmSync(output, { recursive: true });
  }
}
