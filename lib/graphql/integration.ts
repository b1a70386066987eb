import type { Integration, IntegrationContext } from '../core/integration.js';
import { callSafely } from '../core/diagnostics.js';
import { isObject } from '../core/is-object.js';
import type { ResolvedGraphQL } from '../options/graphql.js';
import type { ResolvedHttp } from '../options/http.js';
import { applications } from './applications.js';
import { followOperations, followResolvers } from './follow-channels.js';
import { graphqlMetrics } from './metrics.js';
import { OperationNames } from './operation-names.js';
import { showsExceptions, traceDriver } from './trace-driver.js';
import { traceResolvers, type ResolverTracing } from './trace-resolvers.js';

/** The names of the classes under which @nestjs/graphql provides its drivers, and what finds the resolvers of an application. */
const DRIVER = 'AbstractGraphQLDriver';
const EXPLORER = 'ResolversExplorerService';

/** Instruments GraphQL: the server span is described by its operation, and resolvers may have spans. */
export const graphqlIntegration: Integration<{
  readonly graphql: ResolvedGraphQL | undefined;
  readonly http: Pick<ResolvedHttp, 'spanName' | 'trustIncoming'> | undefined;
}> = {
  name: 'graphql',
  start({ graphql, http }, { meter, modules }) {
    if (!graphql) return undefined;
    const tracing: ResolverTracing = {
      names: new OperationNames(graphql.operationNames),
      renamesSpans: http?.spanName === undefined,
      meter: meter(graphqlMetrics),
      trustIncoming: http?.trustIncoming,
      resolvers: graphql.resolvers,
      areFieldsObserved: false,
      fields: new Set<string>(),
    };
    const application = applications.add(tracing, unsubscribeIfUnused);
    const undos: ((() => void) | undefined)[] = [];
    subscribe(graphql);
    return {
      // Nest makes the schemas and starts the servers later, in the same hook of their modules.
      providersReady() {
        const drivers = findProviders(modules, DRIVER);
        tracing.areFieldsObserved = drivers.some((driver) => !showsExceptions(driver));
        undos.push(...drivers.map((driver) => traceDriver(driver, tracing)));
        undos.push(...findProviders(modules, EXPLORER).map((explorer) => traceResolvers(explorer, tracing)));
      },
      acquire() {
        for (const undo of undos.splice(0)) undo?.();
        application.acquire();
        subscribe(graphql);
      },
      release: () => application.release(),
      shutdown: () => application.remove(),
    };
  },
};

/** Returns the providers whose token is a class of this name. */
function findProviders(modules: IntegrationContext['modules'], name: string): readonly object[] {
  const found: object[] = [];
  for (const { providers } of modules.values()) {
    for (const [token, { instance }] of providers as unknown as Iterable<[unknown, { instance: unknown }]>) {
      if (typeof token === 'function' && token.name === name && isObject(instance)) found.push(instance);
    }
  }
  return found;
}

/** End the subscriptions, which all applications that use this copy of the library share. */
let unsubscribe: (() => void) | undefined;
let unsubscribeResolvers: (() => void) | undefined;

function subscribe({ resolvers }: ResolvedGraphQL): void {
  const current = () => applications.newest;
  unsubscribe ??= callSafely('Subscribing to the channels of graphql', () => followOperations(current));
  if (resolvers) unsubscribeResolvers ??= callSafely('Subscribing to the channels of graphql', followResolvers);
}

function unsubscribeIfUnused(): void {
  if (applications.hasOwnApplications) return;
  unsubscribe?.();
  unsubscribeResolvers?.();
  unsubscribe = unsubscribeResolvers = undefined;
}
