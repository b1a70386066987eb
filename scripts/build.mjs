/** Builds the package twice, as ES modules and as CommonJS, and says in each folder which one it holds. */
import { rmSync, writeFileSync } from 'node:fs';
import { runBin } from './support/run.mjs';

rmSync('dist', { recursive: true, force: true });

for (const [folder, type, project] of [
  ['dist/esm', 'module', 'tsconfig.build.json'],
  ['dist/cjs', 'commonjs', 'tsconfig.build.cjs.json'],
]) {
  runBin('@nestjs/cli', 'nest', ['build', '-p', project]);
  writeFileSync(`${folder}/package.json`, `${JSON.stringify({ type })}\n`);
}
