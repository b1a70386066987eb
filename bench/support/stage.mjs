import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { transformFileSync } from '@swc/core';
import { npm } from '../../scripts/support/pack.mjs';
import { root } from '../../scripts/support/run.mjs';
import { unpackLibrary } from './library.mjs';

export const bench = join(root, 'bench');
export const appFolder = join(bench, 'app');

const installed = new Set();

/** Installs the packages of a folder's lockfile, unless they are installed. */
export function install(folder) {
  if (installed.has(folder)) return;
  const stamp = join(folder, 'node_modules/.bench-lock');
  const hash = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== hash) {
    console.log(`Installing ${folder.slice(root.length + 1)}`);
    // `npm ci` with the present npm. Engines are not checked: some packages declare more than they need.
    npm(['ci', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    writeFileSync(stamp, hash);
  }
  installed.add(folder);
}

/**
 * Compiles the application into a folder with installed packages, and adds the library. Returns the path of the compiled
 * application.
 */
export function stage(folder, { library, name, commonjs = false }) {
  // One folder for each run, so that two parallel runs do not delete each other's files.
  const run = join(folder, 'dist', String(process.pid));
  if (!existsSync(run)) process.once('exit', () => rmSync(run, { recursive: true, force: true }));
  const output = join(run, name);
  compile(appFolder, output, commonjs);
  if (folder !== appFolder) {
    for (const file of readdirSync(folder).filter((file) => file.endsWith('.ts'))) {
      compileFile(join(folder, file), join(output, 'setups', file), commonjs);
    }
  }
  writeFileSync(join(output, 'package.json'), `${JSON.stringify({ type: commonjs ? 'commonjs' : 'module' })}\n`);
  if (library) {
    const place = join(output, 'node_modules/nestjs-tracing');
    mkdirSync(place, { recursive: true });
    unpackLibrary(library, place);
  }
  return output;
}

function compile(folder, output, commonjs) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const from = join(folder, entry.name);
    const target = join(output, entry.name);
    if (entry.isDirectory()) {
      if (!['dist', 'node_modules'].includes(entry.name)) compile(from, target, commonjs);
    } else if (/(?<!\.d)\.ts$/.test(entry.name)) compileFile(from, target, commonjs);
    else if (entry.name.endsWith('.proto')) cpSync(from, target);
  }
}

function compileFile(file, target, commonjs) {
  const { code } = transformFileSync(file, {
    cwd: root,
    sourceMaps: false,
    module: { type: commonjs ? 'commonjs' : 'es6' },
  });
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target.replace(/\.ts$/, '.js'), code);
}

/** The version of a package in a folder. Undefined if it is not installed. */
export function versionIn(folder, name) {
  const manifest = join(folder, 'node_modules', name, 'package.json');
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined;
}
