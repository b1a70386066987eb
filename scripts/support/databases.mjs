import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findPrograms } from './programs.mjs';

/** The folder where Debian keeps the programs of PostgreSQL, by version. */
const DEBIAN_POSTGRES = '/usr/lib/postgresql';

/**
 * Returns the paths of the programs of PostgreSQL, MariaDB and Redis. If one is missing, root installs Debian's package in CI.
 *
 * @throws Error that tells what is missing
 */
export function findDatabases() {
  return {
    postgres: findPrograms('PostgreSQL', 'postgresql', ['postgres', 'initdb'], postgresFolders),
    mariadb: findPrograms('MariaDB', 'mariadb-server', ['mariadbd', 'mariadb-install-db']),
    redis: findPrograms('Redis', 'redis-server', ['redis-server']),
  };
}

function postgresFolders() {
  const versions = existsSync(DEBIAN_POSTGRES) ? readdirSync(DEBIAN_POSTGRES) : [];
  return versions.map((version) => join(DEBIAN_POSTGRES, version, 'bin'));
}
