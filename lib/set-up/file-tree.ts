/** The part of the file tree of a schematic that is used. Paths begin with a slash, which is the folder of the project. */
export interface FileTree {
  exists(path: string): boolean;
  read(path: string): Buffer | null;
  create(path: string, content: string): void;
  overwrite(path: string, content: string): void;
  delete(path: string): void;
  getDir(path: string): FileTreeFolder;
}

export interface FileTreeFolder {
  readonly subdirs: readonly string[];
  readonly subfiles: readonly string[];
}

/** The part of the context of a schematic that is used. */
export interface SchematicContext {
  readonly logger: { info(message: string): void; warn(message: string): void };
}

/** A schematic without the package that declares its type: the command line of Nest has that package, an application may lack it. */
export type Schematic = (tree: FileTree, context: SchematicContext) => void;
