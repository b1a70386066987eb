import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a package.json says about the application. */
export interface PackageInfo {
  readonly name: string;
  readonly version: string | undefined;
}

/** The nearest package.json with a name, from `directory` upwards. Builds leave nameless ones that only hold a `type`. */
export function nearestPackage(directory = process.cwd()): PackageInfo | undefined {
  const found = readPackage(join(directory, 'package.json'));
  if (found) return found;
  const parent = dirname(directory);
  return parent === directory ? undefined : nearestPackage(parent);
}

function readPackage(file: string): PackageInfo | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown; version?: unknown };
    if (typeof name !== 'string' || name.trim() === '') return undefined;
    return { name: name.trim(), version: typeof version === 'string' && version ? version : undefined };
  } catch {
    // Missing, unreadable or malformed: a default is not worth an error.
    return undefined;
  }
}
