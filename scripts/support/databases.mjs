import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { installPackage } from './debian.mjs';

/** The folders where Debian keeps programs that are not on the PATH of every user. */
const DEBIAN_POSTGRES = '/usr/lib/postgresql';
const SYSTEM_PROGRAMS = '/usr/sbin';

/**
 * Returns the paths of the programs of PostgreSQL, MariaDB and Redis: those on the PATH, or in Debian's folders. If one is missing, root installs
 * Debian's package in CI.
 *
 * @throws Error that tells what is missing
 */
export function findDatabases() {
  return {
    postgres: findPrograms('PostgreSQL', 'postgresql', ['postgres', 'initdb']),
    mariadb: findPrograms('MariaDB', 'mariadb-server', ['mariadbd', 'mariadb-install-db']),
    redis: findPrograms('Redis', 'redis-server', ['redis-server']),
  };
}

function findPrograms(title, debianPackage, names) {
  const find = () => names.map(findProgram);
  let found = find();
  if (found.includes(undefined) && installPackage(debianPackage)) found = find();
  const missing = names.find((_, index) => found[index] === undefined);
  if (missing === undefined) return Object.fromEntries(names.map((name, index) => [name, found[index]]));
  throw new Error(
    `${title} is missing: there is no program ${missing}. On Debian or Ubuntu: apt-get install --no-install-recommends ${debianPackage}. Elsewhere put it on the PATH.`,
  );
}

function findProgram(name) {
  const versions = existsSync(DEBIAN_POSTGRES) ? readdirSync(DEBIAN_POSTGRES) : [];
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    SYSTEM_PROGRAMS,
    ...versions.map((version) => join(DEBIAN_POSTGRES, version, 'bin')),
  ];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
