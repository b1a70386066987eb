/** Builds the package as ES modules and as CommonJS, each in a folder with a package.json that declares the module type. */
import { rmSync, writeFileSync } from 'node:fs';
import { runBinsAtOnce } from './support/run.mjs';

const builds = [
  { folder: 'dist/esm', type: 'module', project: 'tsconfig.build.json' },
  { folder: 'dist/cjs', type: 'commonjs', project: 'tsconfig.build.cjs.json' },
];

rmSync('dist', { recursive: true, force: true });
await runBinsAtOnce(
  '@nestjs/cli',
  'nest',
  builds.map(({ project }) => ['build', '-p', project]),
);
for (const { folder, type } of builds) writeFileSync(`${folder}/package.json`, `${JSON.stringify({ type })}\n`);
