import { readdirSync, type Dirent } from 'node:fs';
import { join, relative } from 'node:path';
import { parseEnv } from 'node:util';
import { readJson, readText } from './json-file.js';

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** A source file of an application. */
export interface SourceText {
  /** The path below the folder. */
  readonly path: string;
  readonly text: string;
}

/** A file of variables, with what loads it: undefined if nothing does. */
export interface EnvironmentFile {
  readonly name: string;
  readonly loadedBy: string | undefined;
  readonly variables: Readonly<Record<string, string>>;
}

const SOURCE = /(?<!\.d|[.-]spec|[.-]test)\.[cm]?[jt]s$/;
const SKIPPED = /^(?:\..*|node_modules|dist|build|coverage|test)$/;
/** More files than this are not read: the folder is not that of one application then. */
const MAX_SOURCES = 5000;

/** The folder of an application, as far as the checks look at it. */
export class ApplicationFolder {
  readonly manifest: Manifest;
  /** False if the folder has no package.json. */
  readonly isPackage: boolean;
  private found: readonly SourceText[] | undefined;

  constructor(readonly path: string) {
    const manifest = readJson<Manifest>(join(path, 'package.json'));
    this.isPackage = manifest !== undefined;
    this.manifest = manifest ?? {};
  }

  get scripts(): Readonly<Record<string, string>> {
    return this.manifest.scripts ?? {};
  }

  dependsOn(name: string): boolean {
    return name in { ...this.manifest.dependencies, ...this.manifest.devDependencies };
  }

  /** The sources, without tests. */
  get sources(): readonly SourceText[] {
    this.found ??= this.sourcePaths(this.path)
      .slice(0, MAX_SOURCES)
      .map((file) => ({ path: relative(this.path, file).replaceAll('\\', '/'), text: readText(file) ?? '' }));
    return this.found;
  }

  private sourcePaths(folder: string): string[] {
    const entries = readFolder(folder);
    const files = entries.filter((entry) => entry.isFile() && SOURCE.test(entry.name));
    const folders = entries.filter((entry) => entry.isDirectory() && !SKIPPED.test(entry.name));
    return [
      ...files.map(({ name }) => join(folder, name)),
      ...folders.flatMap(({ name }) => this.sourcePaths(join(folder, name))),
    ];
  }

  /** The files of variables: `.env`, and those that a script names. */
  get environmentFiles(): EnvironmentFile[] {
    const named = Object.values(this.scripts).flatMap((script) =>
      [...script.matchAll(/--env-file(?:-if-exists)?[= ]["']?([^\s"']+)/g)].map(([, name = '']) => name),
    );
    const loader = ['@nestjs/config', 'dotenv'].find((name) => this.dependsOn(name));
    return [...new Set(['.env', ...named])].flatMap((name) => {
      const text = readText(join(this.path, name));
      if (text === undefined) return [];
      const loadedBy = named.includes(name) ? '--env-file' : loader;
      return [{ name, loadedBy, variables: parseEnv(text) as Record<string, string> }];
    });
  }
}

/** A folder that cannot be read has no sources of the application. */
function readFolder(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
