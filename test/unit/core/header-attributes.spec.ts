import { describe, expect, it } from '@jest/globals';
import { headerAttributes } from '../../../lib/core/header-attributes.js';

const attribute = (name: string) => `header.${name}`;

describe('headerAttributes()', () => {
  it('has the headers that are wanted and present, each as a list of texts', () => {
    const headers: Record<string, unknown> = { 'x-a': 'a', 'x-list': ['b', 'c'], 'x-length': 5, 'x-other': 'd' };
    const wanted = ['x-a', 'x-list', 'x-length', 'x-missing'].map((name) => ({ name, isSecret: false }));
    expect(headerAttributes(wanted, attribute, (name) => headers[name])).toEqual({
      'header.x-a': ['a'],
      'header.x-list': ['b', 'c'],
      'header.x-length': ['5'],
    });
  });

  it('has no attribute of an entry without values, as metadata answers for one that is missing', () => {
    expect(headerAttributes([{ name: 'x-a', isSecret: false }], attribute, () => [])).toEqual({});
  });

  it('shows how many values a secret has, and no more', () => {
    expect(headerAttributes([{ name: 'set-cookie', isSecret: true }], attribute, () => ['a=1', 'b=2'])).toEqual({
      'header.set-cookie': ['REDACTED', 'REDACTED'],
    });
  });
});
