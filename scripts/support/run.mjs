import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Runs a program in the foreground. Returns true if it succeeded. */
export function succeeds(command, args, options = {}) {
  const { error, status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) throw error;
  return status === 0;
}

/** Runs a program without showing its output. Returns true if it exists and succeeded. */
export function runsSuccessfully(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** Runs a program in the foreground. Exits if it fails. */
export function run(command, args, options) {
  if (!succeeds(command, args, options)) process.exit(1);
}

/** Runs a development dependency with the present Node, and without a shell, so that all platforms behave the same. */
export function runBin(packageName, bin, args, options) {
  run(process.execPath, [binFile(packageName, bin), ...args], options);
}

/** Runs a development dependency in parallel, once for each list of arguments. Exits if one of them fails. */
export async function runBinsAtOnce(packageName, bin, argumentLists) {
  const file = binFile(packageName, bin);
  const children = argumentLists.map((args) =>
    spawn(process.execPath, [file, ...args], { cwd: root, stdio: 'inherit' }),
  );
  const ends = await Promise.all(children.map((child) => once(child, 'close')));
  if (ends.some(([code]) => code !== 0)) process.exit(1);
}

function binFile(packageName, bin) {
  const folder = join(root, 'node_modules', packageName);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[bin]);
}
