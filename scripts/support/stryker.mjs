import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from './cache.mjs';
import { npm } from './pack.mjs';
import { root } from './run.mjs';

const folder = join(cache, 'stryker');

const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const dependencies = {
  // The last release for Node 20.
  '@stryker-mutator/core': '9.6.1',
  '@stryker-mutator/jest-runner': '9.6.1',
  // Stryker reads tsconfig.json by its own copy.
  typescript: devDependencies.typescript,
};

/** Installs Stryker, some 90 MB, into the cache, this once. Returns its program. */
export function findStryker() {
  const manifest = `${JSON.stringify({ private: true, dependencies }, null, 2)}\n`;
  const file = join(folder, 'package.json');
  const isInstalled = existsSync(join(folder, 'node_modules/.package-lock.json'));
  if (!isInstalled || readFileSync(file, 'utf8') !== manifest) {
    console.log(`Installing Stryker into ${folder}, this once.`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, manifest);
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    npm(['install', ...options], { cwd: folder, stdio: 'inherit' });
  }
  return join(folder, 'node_modules/@stryker-mutator/core/bin/stryker.js');
}
