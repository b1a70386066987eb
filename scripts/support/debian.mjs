import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { runsSuccessfully } from './run.mjs';

/** Installs a package of Debian, but only as root in CI, and never on a developer's machine. Returns true if it did. */
export function installPackage(name) {
  if (!process.env.CI || process.getuid?.() !== 0 || !runsSuccessfully('apt-get', ['--version'])) return false;
  console.log(`Installing Debian's package ${name}.`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  return apt('update') && apt('install', '--yes', '--no-install-recommends', name);
}
