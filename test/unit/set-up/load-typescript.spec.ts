import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadTypeScript } from '../../../lib/set-up/load-typescript.js';
import { TemporaryFolder } from '../../support/temporary-folder.js';

const root = join(import.meta.dirname, '../../..');

describe('loadTypeScript', () => {
  it("takes that of Nest's command line where that of the project has no parser, as TypeScript 7", () => {
    using folder = new TemporaryFolder({
      'package.json': {},
      'node_modules/typescript/package.json': { version: '7.0.2', main: 'index.js' },
      'node_modules/typescript/index.js': 'exports.version = "7.0.2";',
      'node_modules/@nestjs/cli/package.json': { version: '12.0.8' },
      'node_modules/@nestjs/cli/node_modules/.keep': '',
    });
    symlinkSync(
      join(root, 'node_modules/typescript'),
      join(folder.path, 'node_modules/@nestjs/cli/node_modules/typescript'),
    );
    expect(loadTypeScript(folder.path).createSourceFile).toBeInstanceOf(Function);
  });
});
