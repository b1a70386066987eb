import type { Integration } from '../core/integration.js';
import { isObject } from '../core/is-object.js';
import type { ResolvedGraphQL } from '../options/graphql.js';
import type { ResolvedHttp } from '../options/http.js';
import { OperationNames } from './operation-names.js';
import { traceDriver } from './trace-driver.js';
import { traceResolvers } from './trace-resolvers.js';

/** The names of the classes under which @nestjs/graphql provides its drivers, and what finds the resolvers of an application. */
const DRIVER = 'AbstractGraphQLDriver';
const EXPLORER = 'ResolversExplorerService';

/** Instruments GraphQL: the server span is described by its operation, and resolvers may have spans. */
export const graphqlIntegration: Integration<{
  readonly graphql: ResolvedGraphQL | undefined;
  readonly http: Pick<ResolvedHttp, 'spanName'> | undefined;
}> = {
  name: 'graphql',
  start({ graphql, http }, { modules }) {
    if (!graphql) return undefined;
    const names = new OperationNames(graphql.operationNames);
    const tracing = { names, renamesSpans: http?.spanName === undefined, resolvers: graphql.resolvers };
    const undos: ((() => void) | undefined)[] = [];
    return {
      // Nest makes the schemas and starts the servers later, in the same hook of their modules.
      providersReady() {
        for (const { providers } of modules.values()) {
          for (const [token, { instance }] of providers as unknown as Iterable<[unknown, { instance: unknown }]>) {
            if (typeof token !== 'function' || !isObject(instance)) continue;
            if (token.name === DRIVER) undos.push(traceDriver(instance, tracing));
            if (token.name === EXPLORER) undos.push(traceResolvers(instance, tracing));
          }
        }
      },
      acquire() {
        for (const undo of undos.splice(0)) undo?.();
      },
    };
  },
};
