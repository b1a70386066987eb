import { parseBoolean } from './parse.js';
import { readOption } from './setting.js';
import { groupIfOn } from './switch.js';
import type { BooleanOption } from './text-types.js';

/** How GraphQL operations are traced. */
export interface GraphQLOptions {
  /**
   * True if the server span is named after the operation as well, `query FindOrder`, as long as there are few different names. If false,
   * its name is the type of the operation, `query`. The attribute `graphql.operation.name` is recorded in any case.
   * @default true
   */
  operationNames?: BooleanOption | undefined;

  /**
   * True if each call of a resolver method has a span, named after type and field: `Query.users`, `User.posts`. If false, only the
   * resolvers of queries, mutations and subscriptions have one, named after their method: `UsersResolver.users`.
   * @default false
   */
  resolvers?: BooleanOption | undefined;
}

export interface ResolvedGraphQL {
  readonly operationNames: boolean;
  readonly resolvers: boolean;
}

/** Resolves how GraphQL operations are traced. Returns undefined if they are not. */
export function resolveGraphQL(given: GraphQLOptions | BooleanOption | undefined): ResolvedGraphQL | undefined {
  const options = groupIfOn<GraphQLOptions>('graphql', given, {
    operationNames: true,
    resolvers: true,
  });
  if (!options) return undefined;
  const boolean = (key: keyof GraphQLOptions, byDefault: boolean) => {
    const setting = readOption(`graphql.${key}`, options[key]);
    return setting ? parseBoolean(setting) : byDefault;
  };
  return Object.freeze({ operationNames: boolean('operationNames', true), resolvers: boolean('resolvers', false) });
}
