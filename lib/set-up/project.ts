import type { FileTree, SchematicContext } from './file-tree.js';
import type { TypeScript } from './load-typescript.js';
import { Source } from './source.js';

/** Folders without sources of the application. */
const SKIPPED = /^(?:\..*|node_modules)$/;
const SKIPPED_AT_TOP = /^(?:dist|build|coverage)$/;
const SOURCE = /(?<!\.d)\.[cm]?[jt]sx?$/;

/** The part of a package.json that is used. */
export interface Manifest {
  readonly name?: string;
  readonly scripts?: Record<string, string>;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

/** The files of a project, and what is told to the developer. */
export class Project {
  private readonly tasks: string[] = [];
  private readonly facts: string[] = [];
  private readonly excluded = new Set<string>();

  constructor(
    private readonly tree: FileTree,
    readonly ts: TypeScript,
  ) {}

  read(path: string): string | undefined {
    return this.tree.exists(path) ? this.tree.read(path)?.toString('utf8') : undefined;
  }

  /** Writes a file, unless it has this text already. */
  write(path: string, text: string): void {
    if (this.read(path) === text) return;
    if (this.tree.exists(path)) this.tree.overwrite(path, text);
    else this.tree.create(path, text);
  }

  delete(path: string): void {
    this.tree.delete(path);
  }

  /** Reads a source file. Undefined if it does not exist. */
  source(path: string): Source | undefined {
    const text = this.read(path);
    return text === undefined ? undefined : new Source(this.ts, path, text);
  }

  save(source: Source): void {
    if (source.isEdited) this.write(source.path, source.edited);
  }

  /** Leaves out folders: those of other applications. */
  exclude(folders: readonly string[]): void {
    for (const folder of folders) this.excluded.add(folder);
  }

  /** The files of a folder and below it. */
  files(folder: string): string[] {
    if (this.excluded.has(folder)) return [];
    const { subdirs, subfiles } = this.tree.getDir(folder);
    const base = folder.replace(/\/$/, '');
    const searched = subdirs.filter((name) => !SKIPPED.test(name) && !(base === '' && SKIPPED_AT_TOP.test(name)));
    const nested = searched.flatMap((name) => this.files(`${base}/${name}`));
    return [...subfiles.map((name) => `${base}/${name}`), ...nested];
  }

  /** The source files of a folder and below it whose text has a pattern. */
  sourcesWith(pattern: RegExp, folder = '/'): Source[] {
    return this.files(folder)
      .filter((path) => SOURCE.test(path) && pattern.test(this.read(path) ?? ''))
      .map((path) => new Source(this.ts, path, this.read(path) ?? ''));
  }

  json<T>(path: string): T | undefined {
    const text = this.read(path);
    return text === undefined ? undefined : (this.ts.parseConfigFileTextToJson(path, text).config as T | undefined);
  }

  get manifest(): Manifest {
    return this.json<Manifest>('/package.json') ?? {};
  }

  dependsOn(name: string): boolean {
    const { dependencies, devDependencies } = this.manifest;
    return name in { ...dependencies, ...devDependencies };
  }

  /** Tells that something was found or done. */
  tell(fact: string): void {
    this.facts.push(fact);
  }

  /** Tells what the developer has to do or to look at. */
  ask(task: string): void {
    if (!this.tasks.includes(task)) this.tasks.push(task);
  }

  report({ logger }: SchematicContext, heading: string): void {
    for (const fact of this.facts) logger.info(fact);
    if (this.tasks.length > 0) logger.warn([heading, ...this.tasks.map((task) => `- ${task}`)].join('\n'));
  }
}
