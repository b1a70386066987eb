import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { root } from './run.mjs';

/** Packs the present dist/ into a folder. Returns the path of the tarball. */
export function pack(folder) {
  return join(folder, npmPack('--pack-destination', folder).filename);
}

/** Returns what npm tells of the tarball that it would make of the present dist/: its files and its size among others. */
export function describePackage() {
  return npmPack('--dry-run');
}

function npmPack(...options) {
  return JSON.parse(npm(['pack', '--ignore-scripts', '--json', ...options], { cwd: root }))[0];
}

/** Runs npm. In an npm script, it runs the same npm by its path, so no platform needs a shell. */
export function npm(args, options) {
  const cli = process.env.npm_execpath;
  const [command, ...first] = cli ? [process.execPath, cli] : ['npm'];
  return execFileSync(command, [...first, ...args], { encoding: 'utf8', ...options });
}
