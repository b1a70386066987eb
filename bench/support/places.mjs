import { join } from 'node:path';
import { appFolder, bench, install, stage, versionIn } from './stage.mjs';
import { readFileSync } from 'node:fs';

/** The folders that set-ups run in. The application is compiled once per run into each folder that has its own packages. */
export class Places {
  #libraries;
  #staged = new Map();

  /** @param libraries the tarball of each version of the library */
  constructor(libraries) {
    this.#libraries = libraries;
  }

  /** The folder with the packages of a set-up. */
  packagesOf({ folder }) {
    return folder ? join(bench, folder) : appFolder;
  }

  /** The compiled application of a set-up. */
  of(setup) {
    const packages = this.packagesOf(setup);
    const variant = setup.variant ?? 'current';
    const key = `${packages} ${variant}`;
    if (!this.#staged.has(key)) {
      install(packages);
      const library = this.#libraries[variant];
      this.#staged.set(key, stage(packages, { library, name: variant, commonjs: setup.commonjs }));
    }
    return this.#staged.get(key);
  }

  libraryVersion() {
    const output = this.of({});
    return JSON.parse(readFileSync(join(output, 'node_modules/nestjs-tracing/package.json'), 'utf8')).version;
  }

  /** The versions of packages that a set-up uses. */
  versions(setup, names) {
    if (!names) return undefined;
    const packages = this.packagesOf(setup);
    return Object.fromEntries(names.map((name) => [name, versionIn(packages, name)]));
  }
}
