import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { root } from './run.mjs';

/** Packs the present dist/ into a folder. Returns the path of the tarball. */
export function pack(folder) {
  const output = npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: root });
  return join(folder, JSON.parse(output)[0].filename);
}

/** Runs npm. In an npm script, it runs the same npm by its path, so no platform needs a shell. */
export function npm(args, options) {
  const cli = process.env.npm_execpath;
  const [command, ...first] = cli ? [process.execPath, cli] : ['npm'];
  return execFileSync(command, [...first, ...args], { encoding: 'utf8', ...options });
}
