import { describe, expect, it } from '@jest/globals';
import { findOperation, operationNameOf, type FieldPath } from '../../../lib/graphql/document.js';
import { pathText } from '../../../lib/graphql/field-span.js';
import { OperationNames } from '../../../lib/graphql/operation-names.js';

describe('the name of a span', () => {
  it('has 200 operation names at most, and keeps those', () => {
    const names = new OperationNames(true);
    const spanNames = Array.from({ length: 1000 }, (_, index) => names.spanName('query', `Q${index}`));
    expect(new Set(spanNames).size).toBe(201);
    expect(names.spanName('mutation', 'Q7')).toBe('mutation Q7');
    expect(names.spanName('query', 'Q999')).toBe('query');
    expect(names.spanName('query', undefined)).toBe('query');
  });

  it('and a metric have the same operation names, and others are one on metrics', () => {
    const names = new OperationNames(true);
    for (let i = 0; i < 200; i++) expect(names.metricName(`Name${i}`)).toBe(`Name${i}`);
    expect([names.metricName('Another'), names.spanName('query', 'Another')]).toEqual(['_OTHER', 'query']);
    expect([names.metricName('Name7'), names.metricName('a'.repeat(65))]).toEqual(['Name7', '_OTHER']);
    expect([names.metricName(undefined), new OperationNames(false).metricName('Name7')]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('has no long operation names, nor any if they are off', () => {
    expect(new OperationNames(true).spanName('query', 'a'.repeat(65))).toBe('query');
    expect(new OperationNames(true).spanName('query', 'a'.repeat(64))).toBe(`query ${'a'.repeat(64)}`);
    expect(new OperationNames(false).spanName('query', 'Q')).toBe('query');
  });
});

describe('the name of a request', () => {
  it('is that of its operation, if that has a name that may be shown', () => {
    expect(new OperationNames(true).requestName('query', 'Q')).toBe('query Q');
    expect(new OperationNames(true).requestName('query', undefined)).toBeUndefined();
    expect(new OperationNames(true).requestName('query', 'a'.repeat(65))).toBeUndefined();
    expect(new OperationNames(false).requestName('query', 'Q')).toBeUndefined();
  });
});

describe('an operation', () => {
  const operation = (value?: string) => ({
    kind: 'OperationDefinition',
    operation: 'query',
    ...(value !== undefined && { name: { value } }),
  });
  const fragment = { kind: 'FragmentDefinition', operation: 'query' };

  it('is found by its name, or if it is the only one', () => {
    expect(findOperation({ definitions: [fragment, operation()] }, undefined)).toEqual(operation());
    expect(findOperation({ definitions: [operation('A'), operation('B')] }, 'B')).toEqual(operation('B'));
    expect(findOperation({ definitions: [operation('A'), operation('B')] }, undefined)).toBeUndefined();
    expect(findOperation({ definitions: [operation('A')] }, 'C')).toBeUndefined();
  });

  it('has a name of a bounded length', () => {
    expect(operationNameOf(operation('a'.repeat(1_000_000)))).toBe('a'.repeat(128));
    expect(operationNameOf(operation())).toBeUndefined();
  });
});

describe('the path of a field', () => {
  const path = (...keys: (string | number)[]): FieldPath | undefined =>
    keys.reduce<FieldPath | undefined>((prev, key) => ({ prev, key }), undefined);

  it.each<[path: FieldPath | undefined, text: string]>([
    [undefined, ''],
    [path('users'), 'users'],
    [path('users', 0, 'posts', 12, 'title'), 'users.posts.title'],
    [path('a'.repeat(1000)), 'a'.repeat(256)],
  ])('%#', (given, text) => {
    expect(pathText(given)).toBe(text);
  });

  it('has the last 32 fields of a deep one', () => {
    const deep = path(...Array.from({ length: 1000 }, (_, index) => `f${index}`));
    expect(pathText(deep)).toBe(Array.from({ length: 32 }, (_, index) => `f${968 + index}`).join('.'));
  });
});
