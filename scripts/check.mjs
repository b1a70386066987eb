/** Runs all static checks, and stops at the first one that fails. */
import process from 'node:process';
import { run, runBin } from './support/run.mjs';

const node = process.execPath;

const steps = {
  types: () => {
    runBin('typescript', 'tsc', ['--noEmit']);
    runBin('typescript', 'tsc', ['--noEmit', '-p', 'bench']);
  },
  lint: () => runBin('oxlint', 'oxlint', ['--deny-warnings']),
  format: () => runBin('prettier', 'prettier', ['--check', '.']),
  dashboards: () => run(node, ['scripts/dashboards.mjs', '--check']),
  figures: () => run(node, ['bench/readme.mjs', '--check']),
  options: () => run(node, ['scripts/options.mjs', '--check']),
  documents: () => run(node, ['scripts/check-documents.mjs']),
  architecture: () => run(node, ['scripts/check-architecture.mjs']),
  build: () => run(node, ['scripts/build.mjs']),
  samples: () => runBin('@nestjs/cli', 'nest', ['build', '--all']),
  package: () => run(node, ['scripts/check-package.mjs']),
};

for (const [name, step] of Object.entries(steps)) {
  console.log(`\n> ${name}`);
  step();
}
