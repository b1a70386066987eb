import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { transformFileSync } from '@swc/core';

const root = join(import.meta.dirname, '../..');

/**
 * A folder of applications and the library, transpiled from their sources, so that nothing has to be built before the tests
 * run. The folder is a separate package with the name `fixture-app`.
 */
export class CompiledFolder {
  /** The folder of the compiled files: within the repository, so that Node finds the packages of the repository. */
  readonly path: string;

  /** @param source such as `test/e2e/apps` */
  constructor(source: string) {
    const cache = join(root, 'node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    this.path = mkdtempSync(join(cache, 'nestjs-tracing-apps-'));
    const library = join(this.path, 'node_modules/nestjs-tracing');
    transpile(join(root, 'lib'), library);
    transpile(join(root, source), this.path);
    writeFileSync(join(library, 'package.json'), JSON.stringify({ type: 'module', exports: './index.js' }));
    const manifest = { name: 'fixture-app', version: '1.2.3', type: 'module' };
    writeFileSync(join(this.path, 'package.json'), JSON.stringify(manifest));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

function transpile(from: string, to: string): void {
  for (const file of readdirSync(from, { encoding: 'utf8', recursive: true })) {
    const target = join(to, file);
    mkdirSync(dirname(target), { recursive: true });
    if (file.endsWith('.ts')) {
      writeFileSync(target.replace(/ts$/, 'js'), transformFileSync(join(from, file)).code);
    } else if (file.endsWith('.proto')) {
      copyFileSync(join(from, file), target);
    }
  }
}
