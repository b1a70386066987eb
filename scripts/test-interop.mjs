/**
 * Tests the library with real backends, databases and brokers, which `support/` finds, builds or installs if a spec needs them.
 *
 *   node scripts/test-interop.mjs [parts of the names of specs]
 */
import process from 'node:process';
import { runSpecs } from './support/interop.mjs';

await runSpecs('test/interop', process.argv.slice(2));
