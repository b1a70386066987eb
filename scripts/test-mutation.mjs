/**
 * Changes a file of lib/ in many small ways, and lists the changes that its tests do not notice.
 *
 *   node scripts/test-mutation.mjs <file of lib/> [spec files; by default the spec of the same name, or those of the folder]
 *
 * CONTRIBUTING.md says how the surviving changes are judged.
 */
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import process from 'node:process';
import baseConfig from '../jest.config.mjs';
import { root, succeeds } from './support/run.mjs';
import { findStryker } from './support/stryker.mjs';

const [mutated, ...givenSpecs] = process.argv.slice(2);
if (!mutated?.startsWith('lib/') || !existsSync(join(root, mutated))) {
  console.error('Usage: npm run test:mutation -- lib/propagation/b3.ts [test/unit/propagation/b3.spec.ts …]');
  process.exit(1);
}

const isFolder = statSync(join(root, mutated)).isDirectory();
const specs = givenSpecs.length > 0 ? givenSpecs : [defaultSpecs()];
const temporary = mkdtempSync(join(tmpdir(), 'nestjs-tracing-mutation-'));
const config = join(temporary, 'stryker.config.json');
writeFileSync(config, JSON.stringify(strykerConfig()));
const succeeded = succeeds(process.execPath, [findStryker(), 'run', config]);
rmSync(temporary, { recursive: true });
process.exit(succeeded ? 0 : 1);

function defaultSpecs() {
  const mirrored = mutated.replace(/^lib\//, 'test/unit/').replace(/\/$/, '');
  if (isFolder) return `${mirrored}/**/*.spec.ts`;
  const ownSpec = mirrored.replace(/\.ts$/, '.spec.ts');
  return existsSync(join(root, ownSpec)) ? ownSpec : `${posix.dirname(mirrored)}/**/*.spec.ts`;
}

function strykerConfig() {
  const { maxWorkers: _, ...jestConfig } = baseConfig;
  // Jest looks through its roots for each change anew.
  const folders = new Set(specs.map((spec) => posix.dirname(spec.replace(/\*.*$/, 'x'))));
  return {
    testRunner: 'jest',
    testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    jest: {
      projectType: 'custom',
      config: {
        ...jestConfig,
        roots: ['lib', 'test/support', ...folders].map((folder) => `<rootDir>/${folder}`),
        testMatch: specs.map((spec) => `<rootDir>/${spec}`),
        reporters: [],
      },
    },
    mutate: [isFolder ? posix.join(mutated, '**/*.ts') : mutated],
    coverageAnalysis: 'perTest',
    concurrency: 1,
    // SWC does not check types, and Stryker's parser does not know all of TypeScript.
    disableTypeChecks: false,
    ignorePatterns: ['bench', 'docs', 'dist', 'sample', 'test/consumers', 'test/e2e', 'test/grafana', 'test/interop'],
    tempDirName: join(temporary, 'sandbox'),
    reporters: ['clear-text'],
    clearTextReporter: {
      allowColor: Boolean(process.stdout.isTTY),
      allowEmojis: false,
      logTests: false,
      reportTests: false,
    },
  };
}
