import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { root } from '../../scripts/support/run.mjs';

/** The files of the repository that a build of the library needs, or that of an older commit. */
const NEEDED = [
  'lib',
  'sample',
  'scripts',
  'package.json',
  'nest-cli.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'tsconfig.build.cjs.json',
  'README.md',
  'LICENSE',
];

const folders = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/**
 * Returns the tarball of the library to measure: an existing file, or the packed working tree or commit.
 *
 * The library is built from a copy, so that the working tree can be edited meanwhile.
 */
export function libraryTarball({ at, tarball }) {
  if (tarball) {
    const path = resolve(tarball);
    if (!existsSync(path)) throw new Error(`There is no file ${path}.`);
    return path;
  }
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-tracing-bench-'));
  folders.push(folder);
  if (at) {
    const existing = execFileSync('git', ['ls-tree', '--name-only', at, ...NEEDED], { cwd: root, encoding: 'utf8' });
    const archive = execFileSync('git', ['archive', at, ...existing.trim().split('\n')], {
      cwd: root,
      maxBuffer: 2 ** 28,
    });
    execFileSync('tar', ['-x', '-C', folder], { input: archive });
  } else {
    for (const name of NEEDED) {
      if (existsSync(join(root, name))) cpSync(join(root, name), join(folder, name), { recursive: true });
    }
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return build(folder, at);
}

function build(folder, at) {
  const options = { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
  try {
    execFileSync(process.execPath, ['scripts/build.mjs'], options);
  } catch (error) {
    const what = at ? `The library at ${at}` : 'The library in the working tree';
    throw new Error(
      `${what} does not build. Measure another one with --at COMMIT or --library TARBALL.\n${error.stdout}${error.stderr}`,
      { cause: error },
    );
  }
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json'], options);
  return join(folder, JSON.parse(packed)[0].filename);
}

/** Unpacks the library into a folder where modules find it before any other copy. */
export function unpackLibrary(tarball, folder) {
  execFileSync('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
