/**
 * Runs the end-to-end tests with other versions of Node, which npm installs into a cache outside of the repository.
 *
 *   node scripts/test-matrix.mjs [versions such as 22 24 26] [parts of the names of specs]
 */
import process from 'node:process';
import { nodeBinary } from './support/node-binary.mjs';
import { succeeds } from './support/run.mjs';

const isVersion = (argument) => /^\d+$/.test(argument);
const orAll = (given, all) => (given.length > 0 ? given : all);
const args = process.argv.slice(2);
const versions = orAll(args.filter(isVersion), ['22', '24', '26']);
const patterns = orAll(
  args.filter((argument) => !isVersion(argument)),
  [''],
);

const jest = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  ...patterns.map((pattern) => `test/e2e/${pattern}`),
];
const failed = versions.filter((version) => {
  console.log(`\n> end-to-end tests on Node ${version}`);
  return !succeeds(install(version), jest);
});
if (failed.length > 0) {
  console.error(`The end-to-end tests failed on Node ${failed.join(', ')}.`);
  process.exit(1);
}

function install(version) {
  try {
    return nodeBinary(version);
  } catch (error) {
    console.error(`${error.message} Run \`npm test\` with each version of Node instead.`);
    process.exit(1);
  }
}
