import { groupIfOn, isOn } from './switch.js';
import type { BooleanOption } from './text-types.js';

/** How GraphQL operations are traced. */
export interface GraphQLOptions {
  /**
   * True if the server span is named after the operation, `query FindOrder`, as long as there are few different names. If false, the span
   * keeps the name of its route, `POST /graphql`. The attribute `graphql.operation.name` is recorded in any case.
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
  return Object.freeze({
    operationNames: isOn('graphql.operationNames', options.operationNames, true),
    resolvers: isOn('graphql.resolvers', options.resolvers, false),
  });
}
