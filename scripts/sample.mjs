/**
 * Runs a sample against the built library, as an application would use it.
 *
 *   node scripts/sample.mjs 01-hello [arguments of the sample]
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { transformFileSync } from '@swc/core';
import { root } from './support/run.mjs';

const [sample = '', ...args] = process.argv.slice(2);
const folder = join(root, 'sample', sample);
const output = join(folder, 'dist');

if (!existsSync(join(folder, 'main.ts'))) {
  const samples = readdirSync(join(root, 'sample')).join(', ');
  console.error(`There is no sample "${sample}". Use one of: ${samples}.`);
  process.exit(1);
}

if (isLibraryOutdated()) await import('./build.mjs');
transpile();

process.setSourceMapsEnabled(true);
const main = join(output, 'main.js');
process.argv = [process.execPath, main, ...args];
await import(pathToFileURL(main).href);

function isLibraryOutdated() {
  // This file is the last one that the build writes.
  const built = join(root, 'dist/index.d.cts');
  return !existsSync(built) || newestChange(join(root, 'lib')) > statSync(built).mtimeMs;
}

function newestChange(directory) {
  const files = readdirSync(directory, { encoding: 'utf8', recursive: true });
  return Math.max(...files.map((file) => statSync(join(directory, file)).mtimeMs));
}

/** Compiles the sample without type checks, so that it starts quickly. `npm run check` checks the types. */
function transpile() {
  rmSync(output, { recursive: true, force: true });
  for (const file of readdirSync(folder, { encoding: 'utf8', recursive: true })) {
    const target = join(output, file);
    mkdirSync(dirname(target), { recursive: true });
    if (file.endsWith('.ts')) {
      writeFileSync(target.replace(/\.ts$/, '.js'), transformFileSync(join(folder, file)).code);
    } else if (file.endsWith('.proto')) {
      copyFileSync(join(folder, file), target);
    }
  }
}
