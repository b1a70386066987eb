import { expect, it } from '@jest/globals';
import { prefersOpenMetrics } from '../../../lib/metrics/accept.js';

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
])('%j: %s', (accept, expected) => {
  expect(prefersOpenMetrics(accept)).toBe(expected);
});
