import { describe, expect, it } from '@jest/globals';
import { parseEach, parseFirst } from '../../../lib/options/lenient.js';
import type { Setting } from '../../../lib/options/setting.js';
import { TracingConfigurationError } from '../../../lib/tracing.errors.js';
import { recordWarnings } from '../../support/recorded-warnings.js';

const warnings = recordWarnings();

const variable = (value: string): Setting => ({ name: 'OTEL_PROPAGATORS', value, variable: 'OTEL_PROPAGATORS' });

function parse({ name, value }: Setting): string {
  if (value === 'good') return value;
  throw new TracingConfigurationError(name, value, 'Write good.');
}

describe('the entries of a variable', () => {
  it.each([
    ['is ignored', ['bad', 'worse'], [], '"bad", "worse"'],
    ['is ignored in part', ['good', 'bad', 'good'], ['good', 'good'], '"bad"'],
  ])('are left out if they cannot be used, and the warning says that it %s', (consequence, entries, parsed, shown) => {
    expect(parseEach(parse, entries.map(variable))).toEqual(parsed);
    expect(warnings).toEqual([
      `The variable OTEL_PROPAGATORS ${consequence}, because ${shown} cannot be used. Write good.`,
    ]);
  });

  it.each([[[]], [['good']]])('cause no warning where all can be used: %j', (entries: string[]) => {
    expect(parseEach(parse, entries.map(variable))).toEqual(entries);
    expect(warnings).toEqual([]);
  });
});

it.each([
  ['in full, as long as it has no more than 200 characters', 'x'.repeat(200), 'x'.repeat(200)],
  ['shortened, if it is longer', 'x'.repeat(201), `${'x'.repeat(200)}…`],
])('the warning of a variable shows the value %s', (_, value, shown) => {
  expect(parseFirst(parse, variable(value), variable('good'))).toBe('good');
  expect(warnings).toEqual([expect.stringContaining(`because "${shown}" cannot be used`)]);
});
