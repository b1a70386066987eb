/**
 * The subpath `nestjs-tracing/testing` is a bundle of its own, which imports the index of the package: an application and its tests must have
 * the same classes, and one state in the process.
 */
import { join, relative } from 'node:path';
import { libFolder } from './typescript.mjs';

const INDEX = './index.js';
const folder = join(libFolder, 'testing');

export const TESTING_ENTRY = join(folder, 'index.ts');

/** The modules whose exports the index has as well. */
const IN_INDEX = new Set(['tracing.errors.ts', 'tracing.module.ts', 'tracing.service.ts']);
/** Modules without state, which the bundle may have a copy of. */
const COPIED = new Set(['options/url-port.ts', 'tracing.override.ts', 'tracing.runtime.ts']);

/** Imports from the index what the index exports, and refuses a second copy of anything else. */
export function importFromIndex() {
  return {
    name: 'import-from-index',
    resolveId(source, importer) {
      const file = fileOf(source, importer);
      if (file === undefined || isInTesting(file)) return undefined;
      const name = relative(libFolder, file);
      if (IN_INDEX.has(name)) return { id: INDEX, external: 'relative' };
      if (COPIED.has(name)) return undefined;
      throw new Error(`lib/testing loads lib/${name}, of which the package would have two copies`);
    },
  };
}

/** The same for types. Whatever the tests of an application need, the index exports. */
export function importTypesFromIndex() {
  return {
    name: 'import-types-from-index',
    resolveId(source, importer) {
      const file = fileOf(source, importer);
      return file === undefined || isInTesting(file) ? undefined : { id: INDEX, external: 'relative' };
    },
  };
}

/** Returns the types of a module format. An application need not have Jest, whose types are extended. */
export function testingTypes(types, indexFile) {
  return types
    .replaceAll(`'${INDEX}'`, `'./${indexFile}'`)
    .replace(/^declare module 'expect'/m, '// @ts-ignore: the package may not be installed.\n$&');
}

function fileOf(source, importer) {
  if (!source.startsWith('.') || !importer?.endsWith('.ts')) return undefined;
  return join(importer, '..', source.replace(/\.js$/, '.ts'));
}

function isInTesting(file) {
  return !relative(folder, file).startsWith('..');
}
