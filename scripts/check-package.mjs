/** Checks the package that would be published: its manifest, and its types as each kind of consumer resolves them. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { pack } from './support/pack.mjs';
import { root, runBin } from './support/run.mjs';

const { version, peerDependenciesMeta } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

await checkVersion();
checkPublishedTypes();

const folder = mkdtempSync(join(tmpdir(), 'nestjs-tracing-pack-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const tarball = pack(folder);
runBin('publint', 'publint', ['run', tarball, '--strict']);
// Not checked is `node10`, TypeScript's resolution without exports maps, which Nest 11 and 12 do not support either.
runBin('@arethetypeswrong/cli', 'attw', [tarball, '--profile', 'node16']);

/** Checks that a release has updated the version that spans have in their instrumentation scope. */
async function checkVersion() {
  const { VERSION } = await import('../dist/esm/core/version.js');
  if (VERSION !== version) fail([`lib/core/version.ts says ${VERSION}, package.json ${version}`]);
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

function fail(problems) {
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exit(1);
}
