import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Runs a program in the foreground and says whether it succeeded. */
export function succeeds(command, args, options = {}) {
  const { error, status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) throw error;
  return status === 0;
}

/** Runs a program in the foreground; its failure ends this script too. */
export function run(command, args, options) {
  if (!succeeds(command, args, options)) process.exit(1);
}

/** Runs a development dependency with the Node at hand: without a shell, so the same on every platform. */
export function runBin(packageName, bin, args, options) {
  const folder = join(root, 'node_modules', packageName);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[bin];
  run(process.execPath, [join(folder, file), ...args], options);
}
