import type { FileTree, FileTreeFolder, SchematicContext } from '../../lib/set-up/file-tree.js';

/** A tree of files in memory, as a schematic gets it, and what the schematic has said. */
export class MemoryTree implements FileTree {
  readonly files = new Map<string, string>();
  readonly infos: string[] = [];
  readonly warnings: string[] = [];
  readonly context: SchematicContext = {
    logger: { info: (message) => this.infos.push(message), warn: (message) => this.warnings.push(message) },
  };

  /** @param files the texts of files by their paths, without a slash at the beginning */
  constructor(files: Readonly<Record<string, string>>) {
    for (const [path, text] of Object.entries(files)) this.files.set(`/${path}`, text);
  }

  text(path: string): string | undefined {
    return this.files.get(`/${path}`);
  }

  exists(path: string): boolean {
    return this.files.has(path);
  }

  read(path: string): Buffer | null {
    const text = this.files.get(path);
    return text === undefined ? null : Buffer.from(text);
  }

  create(path: string, content: string): void {
    if (this.files.has(path)) throw new Error(`${path} exists already`);
    this.files.set(path, content);
  }

  overwrite(path: string, content: string): void {
    if (!this.files.has(path)) throw new Error(`${path} does not exist`);
    this.files.set(path, content);
  }

  delete(path: string): void {
    if (!this.files.delete(path)) throw new Error(`${path} does not exist`);
  }

  getDir(path: string): FileTreeFolder {
    const base = path.endsWith('/') ? path : `${path}/`;
    const below = [...this.files.keys()].filter((each) => each.startsWith(base)).map((each) => each.slice(base.length));
    const subdirs = new Set(below.filter((each) => each.includes('/')).map((each) => each.split('/', 1)[0]!));
    return { subdirs: [...subdirs], subfiles: below.filter((each) => !each.includes('/')) };
  }
}
