/** Checks the package that would be published: its manifest, and its types as each kind of consumer resolves them. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { describePackage, pack } from './support/pack.mjs';
import { root, runBin } from './support/run.mjs';

const {
  name: packageName,
  peerDependencies,
  peerDependenciesMeta,
  version,
} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The limits of the package, so that a change which makes it much larger is noticed. */
const LIMITS = { files: 32, packedBytes: 440_000, bytesLoadedIfDisabled: 150_000 };

/** The files that an application loads if it has tracing disabled. */
const LOADED_IF_DISABLED = ['index.js', 'load.cjs', 'nestjs-tracing.core.js'];

checkVersion();
checkPublishedTypes();
checkPublishedImports();
checkMetadata();
checkSizeIfDisabled();

const folder = mkdtempSync(join(tmpdir(), 'nestjs-tracing-pack-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const tarball = pack(folder);
checkSize();
runBin('publint', 'publint', ['run', tarball, '--strict']);
// Not checked is `node10`, TypeScript's resolution without exports maps, which Nest 11 and 12 do not support either.
runBin('@arethetypeswrong/cli', 'attw', [tarball, '--profile', 'node16']);

/** Checks that a release has updated the version that spans have in their instrumentation scope. */
function checkVersion() {
  const source = readFileSync(join(root, 'lib/core/version.ts'), 'utf8');
  if (!source.includes(`VERSION = '${version}'`)) fail([`lib/core/version.ts says another version than ${version}`]);
}

/** Checks that no published type needs an optional package: an application without the package has to compile. */
function checkPublishedTypes() {
  const optional = [...Object.keys(peerDependenciesMeta), '@grpc/grpc-js', '@nestjs/axios', 'prom-client'];
  const files = readdirSync(join(root, 'dist'), { encoding: 'utf8', recursive: true });
  const problems = files
    .filter((file) => /\.d\.[cm]?ts$/.test(file))
    .flatMap((file) => {
      const text = readFileSync(join(root, 'dist', file), 'utf8');
      return optional
        .filter((name) => new RegExp(`(from|import|import\\(|require\\() ?['"]${name}['"/]`).test(text))
        .map((name) => `dist/${file} needs the types of ${name}, which is optional`);
    });
  fail(problems);
}

/** Checks that the package imports nothing but what an application is asked to install. */
function checkPublishedImports() {
  // The schematics write imports of the package itself.
  const declared = new Set([packageName, ...Object.keys(peerDependencies)]);
  const files = readdirSync(join(root, 'dist'), { encoding: 'utf8', recursive: true });
  const problems = files.flatMap((file) => {
    if (!/\.c?js$/.test(file)) return [];
    const text = readFileSync(join(root, 'dist', file), 'utf8');
    const imported = [...text.matchAll(/(?:\bfrom |^import |\brequire\()['"]([^'"]+)['"]/gm)].map(([, name]) => name);
    return imported
      .filter((name) => !name.startsWith('./') && !isBuiltin(name) && !declared.has(name))
      .map((name) => `dist/${file} imports ${name}, which is no peer dependency`);
  });
  fail(problems);
}

/**
 * Checks that no decorator's metadata reads a global that Node loads on use. TypeScript writes `typeof Response` for a type of that name,
 * also for one of lib/, and Node 20 then takes 15 ms to load the implementation of `fetch()`.
 */
function checkMetadata() {
  const files = readdirSync(join(root, 'dist')).filter((file) => /\.c?js$/.test(file));
  const problems = files.flatMap((file) => {
    const text = readFileSync(join(root, 'dist', file), 'utf8');
    const names = [...text.matchAll(/typeof (\w+) !== "undefined" && \1\b/g)].map(([, name]) => name);
    return names
      .filter((name) => Object.getOwnPropertyDescriptor(globalThis, name)?.get)
      .map((name) => `dist/${file} loads the global ${name} by the metadata of a decorator: rename the type`);
  });
  fail(problems);
}

/** Checks that the files which are loaded if tracing is disabled have not got what only an application that traces needs. */
function checkSizeIfDisabled() {
  const sizes = LOADED_IF_DISABLED.map((file) => statSync(join(root, 'dist', file)).size);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (bytes <= LIMITS.bytesLoadedIfDisabled) return;
  fail([
    `${bytes} bytes are loaded if tracing is disabled, more than ${LIMITS.bytesLoadedIfDisabled}: see scripts/build/loaded-on-use.mjs`,
  ]);
}

function checkSize() {
  const { entryCount: files, size: bytes } = describePackage();
  console.log(`The package has ${files} files, and ${bytes} bytes when it is packed.`);
  if (files > LIMITS.files) fail([`The package has ${files} files, more than ${LIMITS.files}`]);
  if (bytes > LIMITS.packedBytes) fail([`The package has ${bytes} bytes, more than ${LIMITS.packedBytes}`]);
}

function fail(problems) {
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exit(1);
}
