import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { isBundled } from '../../../lib/packages/bundled.js';
import { TracingPackageError } from '../../../lib/tracing.errors.js';

const folder = mkdtempSync(join(tmpdir(), 'bundled-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(file: string, content: object | string): string {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return pathToFileURL(path).href;
}

describe('isBundled()', () => {
  it('is false in the package, also below a package.json without a name', () => {
    expect(isBundled()).toBe(false);
    write('app/package.json', { name: 'shop' });
    write('app/node_modules/nestjs-tracing/package.json', { name: 'nestjs-tracing' });
    write('app/node_modules/nestjs-tracing/dist/package.json', { type: 'commonjs' });
    expect(isBundled(write('app/node_modules/nestjs-tracing/dist/index.js', ''))).toBe(false);
  });

  it('is true in the build of an application', () => {
    write('app/package.json', { name: 'shop' });
    expect(isBundled(write('app/dist/main.js', ''))).toBe(true);
  });

  it('is true in a folder without any package', () => {
    expect(isBundled(write('alone/main.js', ''))).toBe(true);
  });

  it('is false if it cannot be known', () => {
    write('broken/package.json', '{');
    expect(isBundled(write('broken/main.js', ''))).toBe(false);
    expect(isBundled('not a URL')).toBe(false);
  });
});

describe('the error of a missing package', () => {
  it('says what to install, and what a bundle needs', () => {
    expect(new TracingPackageError('metrics', {}, 'prom-client').message).toMatch(
      /could not be loaded\. Install it: npm install prom-client$/,
    );
    const { cause, message } = new TracingPackageError('metrics', {}, 'prom-client', { isBundled: true, cause: 'why' });
    expect(message).toContain('mark the package as external (esbuild: --external:prom-client, webpack: externals)');
    expect(message).toMatch(/install it where the bundle runs: npm install prom-client$/);
    expect(cause).toBe('why');
  });
});
