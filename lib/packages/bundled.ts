import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OWN_NAME = 'nestjs-tracing';

/** True if this code is part of a bundle, so that packages are found where the bundle is, and not where the library was installed. */
export function isBundled(file = ownFile()): boolean {
  if (file === undefined) return true;
  try {
    let folder = dirname(fileURLToPath(file));
    while (dirname(folder) !== folder) {
      const name = nameIn(join(folder, 'package.json'));
      if (name !== undefined) return name !== OWN_NAME;
      folder = dirname(folder);
    }
    return true;
  } catch {
    return false;
  }
}

/** Returns the URL of this code. Undefined in a bundle of ES modules, which does not say where code of CommonJS is. */
function ownFile(): string | undefined {
  try {
    return import.meta.url;
  } catch {
    return undefined;
  }
}

/** Returns the name in a package.json. Undefined if there is none: a build has such a file to set the type of modules. */
function nameIn(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const { name } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string };
  return name;
}
