import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { transformFileSync } from '@swc/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const sources = join(import.meta.dirname, '../../../lib/core');

/** A function of the library that calls one of the application, which makes an error. */
const CALLER = 'export function callFromLibrary(fn) { return storage.run(1, () => [0].map(() => fn())[0]); }';
const APPLICATION = `
  function place() { return callFromLibrary(function order() { return new Error('lost'); }); }
  const { stack } = place();
  console.log(JSON.stringify([stack, withoutOwnFrames(stack)]));
`;

describe('stack traces of an application', () => {
  /** A folder with a blank and parentheses in its name. */
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'own frames (of) '));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function write(file: string, text: string): string {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  function compiled(type: 'es6' | 'commonjs'): string {
    return transformFileSync(join(sources, 'own-frames.ts'), { module: { type } }).code;
  }

  function framesOf(application: string, ...flags: string[]): { all: string[]; shown: string[] } {
    const [all, shown] = JSON.parse(execFileSync(process.execPath, [...flags, application], { encoding: 'utf8' })) as [
      string,
      string,
    ];
    const names = (stack: string) => stack.split('\n').map((line) => line.trim().split(' ')[1] ?? '');
    return { all: names(all), shown: names(shown) };
  }

  it.each([[[]], [['--stack-trace-limit=30']]])('on ES modules show none of the library (%j)', (flags) => {
    write('esm/node_modules/traced/package.json', '{"type":"module"}');
    write('esm/node_modules/traced/dist/nestjs-tracing.core.js', compiled('es6'));
    write(
      'esm/node_modules/traced/dist/nestjs-tracing.enabled.js',
      `import { AsyncLocalStorage } from 'node:async_hooks'; const storage = new AsyncLocalStorage(); ${CALLER}`,
    );
    const application = write(
      'esm/main.mjs',
      `import { callFromLibrary } from './node_modules/traced/dist/nestjs-tracing.enabled.js';
       import { withoutOwnFrames } from './node_modules/traced/dist/nestjs-tracing.core.js';
       ${APPLICATION}`,
    );
    const { all, shown } = framesOf(application, ...flags);
    expect(all.slice(0, 8)).toEqual(
      expect.arrayContaining(['order', 'callFromLibrary', 'AsyncLocalStorage.run', 'place']),
    );
    expect(shown.slice(0, 3)).toEqual(['lost', 'order', 'place']);
  });

  it('on CommonJS show none of the library', () => {
    write('cjs/node_modules/traced/dist/nestjs-tracing.core.cjs', compiled('commonjs'));
    write(
      'cjs/node_modules/traced/dist/nestjs-tracing.enabled.cjs',
      `const { AsyncLocalStorage } = require('node:async_hooks'); const storage = new AsyncLocalStorage();
       ${CALLER.replace('export function', 'exports.callFromLibrary = function')}`,
    );
    const application = write(
      'cjs/main.cjs',
      `const { callFromLibrary } = require('./node_modules/traced/dist/nestjs-tracing.enabled.cjs');
       const { withoutOwnFrames } = require('./node_modules/traced/dist/nestjs-tracing.core.cjs');
       ${APPLICATION}`,
    );
    expect(framesOf(application).shown.slice(0, 3)).toEqual(['lost', 'order', 'place']);
  });

  it.each(['dist/main.mjs', 'lib/main.mjs', 'dist/index.mjs', 'dist/core.mjs'])('bundled into %s show all', (file) => {
    const library = compiled('es6').replaceAll(/^export /gm, '');
    const application = write(
      `bundle/${file}`,
      `import { AsyncLocalStorage } from 'node:async_hooks'; const storage = new AsyncLocalStorage();
       ${library}
       ${CALLER.replace('export ', '')} ${APPLICATION}`,
    );
    const { all, shown } = framesOf(application);
    expect(shown).toEqual(all);
    expect(shown).toContain('callFromLibrary');
  });
});
