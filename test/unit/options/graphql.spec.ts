import { describe, expect, it } from '@jest/globals';
import { resolveGraphQL } from '../../../lib/options/graphql.js';

const graphql = (given?: unknown) => resolveGraphQL(given as never);

describe('graphql', () => {
  it.each<[given: unknown, expected: unknown]>([
    [undefined, { operationNames: true, resolvers: false }],
    [true, { operationNames: true, resolvers: false }],
    [{ resolvers: true }, { operationNames: true, resolvers: true }],
    [{ operationNames: 'false' }, { operationNames: false, resolvers: false }],
    [false, undefined],
    ['false', undefined],
  ])('%j is %j', (given, expected) => {
    expect(graphql(given)).toEqual(expected);
  });

  it.each([[7], ['yes'], [null], [[]], [{ resolver: true }], [{ resolvers: 'some' }]])('refuses %j', (given) => {
    expect(() => graphql(given)).toThrow(expect.objectContaining({ option: expect.stringMatching(/^graphql/) }));
  });
});
