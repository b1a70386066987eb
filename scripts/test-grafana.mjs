/**
 * Tests the shop's Grafana files against Grafana's own code, as far as npm has it: from an exemplar of ours to the link that a user
 * would click, and the dashboards by Grafana's types. Apart from the other tests because of its size.
 *
 *   node scripts/test-grafana.mjs [arguments for Jest]
 */
import process from 'node:process';
import { grafanaPackages } from './support/grafana.mjs';

process.env.GRAFANA_PACKAGES = grafanaPackages();
// The last one, for it takes all that follows it.
process.argv.push('--testMatch', '<rootDir>/test/grafana/**/*.spec.ts');
await import('./test-interop.mjs');
