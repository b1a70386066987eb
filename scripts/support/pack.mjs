import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { root } from './run.mjs';

/** Packs dist/ as it stands into a folder and returns the tarball's path. */
export function pack(folder) {
  const output = npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: root });
  return join(folder, JSON.parse(output)[0].filename);
}

/** npm, started by its path when this script is an npm script: the same npm, and no shell on any platform. */
export function npm(args, options) {
  const cli = process.env.npm_execpath;
  const [command, ...first] = cli ? [process.execPath, cli] : ['npm'];
  return execFileSync(command, [...first, ...args], { encoding: 'utf8', ...options });
}
