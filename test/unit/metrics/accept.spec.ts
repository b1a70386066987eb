import { expect, it } from '@jest/globals';
import { prefersOpenMetrics } from '../../../lib/metrics/accept.js';

/** The header that Prometheus 3 sends by default. */
const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

it.each<[accept: string | undefined, expected: boolean]>([
  [undefined, false],
  ['', false],
  ['*/*', false],
  ['text/plain', false],
  ['application/openmetrics-text', true],
  ['Application/OpenMetrics-Text; Version=1.0.0', true],
  ['application/openmetrics-text;version=1.0.0,text/plain;q=0.5', true],
  ['text/plain,application/openmetrics-text', true],
  ['text/plain;q=0.9,application/openmetrics-text;q=0.8', false],
  ['application/openmetrics-text;q=0', false],
  ['application/openmetrics-text; q = 0.5', true],
  ['application/openmetrics-text;q=nonsense', false],
  ['application/openmetrics-text;q=7', false],
  ['application/openmetrics-textual', false],
  [PROMETHEUS_3, true],
])('%j: %s', (accept, expected) => {
  expect(prefersOpenMetrics(accept)).toBe(expected);
});
