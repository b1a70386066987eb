import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readJson } from './json-file.js';

export interface InstalledPackage {
  /** The folder, without symbolic links. */
  readonly path: string;
  readonly version: string;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly engines: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly peerDependencies?: Record<string, string>;
  readonly engines?: Record<string, string>;
}

const LOCK_FILES = ['package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb'];

/** Finds the package that code in a folder gets by its name. */
export function findPackage(folder: string, name: string): InstalledPackage | undefined {
  for (const each of foldersUpwards(folder)) {
    const found = readPackage(join(each, 'node_modules', name));
    if (found) return found;
  }
  return findByNode(folder, name);
}

/** Asks Node, for a package manager that has no node_modules, such as Yarn with Plug'n'Play. */
function findByNode(folder: string, name: string): InstalledPackage | undefined {
  const { resolve } = createRequire(join(folder, 'package.json'));
  try {
    return readPackage(dirname(resolve(`${name}/package.json`)));
  } catch (error) {
    // OpenTelemetry's API does not export its package.json.
    const isInstalled = (error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
    return isInstalled ? findByMainFile(resolve, name) : undefined;
  }
}

function findByMainFile(resolve: NodeJS.RequireResolve, name: string): InstalledPackage | undefined {
  try {
    return readPackageOf(resolve(name), name);
  } catch {
    return undefined;
  }
}

/** Reads the package that a file belongs to. A folder in between may have a package.json as well, for the format of its modules. */
function readPackageOf(file: string, name: string): InstalledPackage | undefined {
  const folder = foldersUpwards(dirname(file)).find(
    (each) => readJson<Manifest>(join(each, 'package.json'))?.name === name,
  );
  return folder === undefined ? undefined : readPackage(folder);
}

function readPackage(path: string): InstalledPackage | undefined {
  const manifest = readJson<Manifest>(join(path, 'package.json'));
  if (typeof manifest?.version !== 'string') return undefined;
  const { engines = {}, peerDependencies = {}, version } = manifest;
  return { path: realpathSync(path), version, peerDependencies, engines };
}

/** Finds every copy of some packages in the folders of installed packages that an application may load from. */
export function findCopies(folder: string, names: readonly string[]): Map<string, InstalledPackage[]> {
  const copies = new Map(names.map((name) => [name, new Map<string, InstalledPackage>()]));
  for (const each of projectFolders(folder)) search(join(each, 'node_modules'), copies);
  return new Map([...copies].map(([name, found]) => [name, [...found.values()]]));
}

function search(modules: string, copies: ReadonlyMap<string, Map<string, InstalledPackage>>): void {
  for (const [name, found] of copies) {
    const copy = existsSync(join(modules, name)) ? readPackage(join(modules, name)) : undefined;
    if (copy) found.set(copy.path, copy);
  }
  for (const folder of packageFolders(modules)) {
    const nested = join(folder, 'node_modules');
    if (existsSync(nested)) search(nested, copies);
  }
}

/** The folders of the packages of a node_modules, without those that are links: what they lead to is searched where it is. */
function packageFolders(modules: string): string[] {
  return subfolders(modules).flatMap((name) => {
    const path = join(modules, name);
    // pnpm keeps all packages there, each with a node_modules of its own.
    if (name === '.pnpm') return subfolders(path).map((each) => join(path, each));
    if (name.startsWith('.')) return [];
    return name.startsWith('@') ? subfolders(path).map((each) => join(path, each)) : [path];
  });
}

function subfolders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

/** The folder and those above it, up to the one of its project or workspace: what is installed further up, nothing is likely to load. */
function projectFolders(folder: string): string[] {
  const folders = foldersUpwards(folder);
  const root = folders.findIndex((each) => LOCK_FILES.some((name) => existsSync(join(each, name))));
  return folders.slice(0, Math.max(root, 0) + 1);
}

function foldersUpwards(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...foldersUpwards(parent)];
}
