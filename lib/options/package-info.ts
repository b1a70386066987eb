import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The name and version in the application's package.json. */
export interface PackageInfo {
  readonly name: string;
  readonly version: string | undefined;
}

/**
 * Reads the nearest package.json with a name, from `directory` upwards. A build often contains a package.json without a name, only to
 * set the module type.
 */
export function findNearestPackage(directory = process.cwd()): PackageInfo | undefined {
  const found = readPackage(join(directory, 'package.json'));
  if (found) return found;
  const parent = dirname(directory);
  return parent === directory ? undefined : findNearestPackage(parent);
}

function readPackage(file: string): PackageInfo | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown; version?: unknown };
    if (typeof name !== 'string' || name.trim() === '') return undefined;
    return { name: name.trim(), version: typeof version === 'string' && version ? version : undefined };
  } catch {
    // The file is missing, unreadable or malformed. It only provides a default, so this is no error.
    return undefined;
  }
}
