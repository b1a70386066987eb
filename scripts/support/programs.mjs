import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { installPackage } from './debian.mjs';

/**
 * Returns the paths of programs by their names: those on the PATH, or in other folders. If one is missing, root installs Debian's package in CI.
 *
 * @param folders where Debian keeps the programs, if that is not on the PATH of every user; called again after the installation
 * @throws Error that tells what is missing
 */
export function findPrograms(title, debianPackage, names, folders = () => []) {
  const find = () => names.map((name) => findProgram(name, folders()));
  let found = find();
  if (found.includes(undefined) && installPackage(debianPackage)) found = find();
  const missing = names.find((_, index) => found[index] === undefined);
  if (missing === undefined) return Object.fromEntries(names.map((name, index) => [name, found[index]]));
  throw new Error(
    `${title} is missing: there is no program ${missing}. On Debian or Ubuntu: apt-get install --no-install-recommends ${debianPackage}. Elsewhere put it on the PATH.`,
  );
}

function findProgram(name, folders) {
  const all = [...folders, ...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  return all.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
