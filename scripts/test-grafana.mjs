/**
 * Tests the shop's Grafana files with the parts of Grafana that npm has: that an exemplar becomes the link that a user clicks,
 * and that the dashboards fit Grafana's types. It is separate from the other tests because Grafana is large.
 *
 *   node scripts/test-grafana.mjs [arguments for Jest]
 */
import process from 'node:process';
import { grafanaPackages } from './support/grafana.mjs';

process.env.GRAFANA_PACKAGES = grafanaPackages();
// This has to be the last argument, because Jest takes all following ones as its values.
process.argv.push('--testMatch', '<rootDir>/test/grafana/**/*.spec.ts');
await import('./test-interop.mjs');
