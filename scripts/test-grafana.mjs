/**
 * Tests the shop's Grafana files with the parts of Grafana that npm has: that an exemplar becomes the link that a user clicks,
 * and that the dashboards fit Grafana's types. It is separate from the other tests because Grafana is large.
 *
 *   node scripts/test-grafana.mjs [parts of the names of specs]
 */
import process from 'node:process';
import { grafanaPackages } from './support/grafana.mjs';
import { runSpecs } from './support/interop.mjs';

process.env.GRAFANA_PACKAGES = grafanaPackages();
await runSpecs('test/grafana', process.argv.slice(2));
