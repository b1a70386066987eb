import { callSafely } from '../core/diagnostics.js';
import type { Integration, IntegrationContext, IntegrationHooks } from '../core/integration.js';
import { watchInjections, watchProviders, type ProviderWatch } from '../core/provider-instances.js';
import type { DataLibraryName, ResolvedData } from '../options/data.js';
import { applications, type ApplicationSettings, type DataApplication } from './applications.js';
import { FoundInstances } from './found-instances.js';
import { dataLibraries } from './libraries.js';
import { queryMetrics, waitTimeMetric } from './metrics.js';
import { OpenQueries } from './open-queries.js';
import { observePools } from './pool-gauges.js';
import type { QuerySettings } from './query-settings.js';

/** Instruments databases: by the diagnostics channels of their libraries, and the pools and clients in dependency injection. */
export const dataIntegration: Integration<{ readonly data: ResolvedData | undefined }> = {
  name: 'data',
  start({ data }, context): IntegrationHooks | undefined {
    if (!data) return undefined;
    const open = new OpenQueries();
    const self: DataApplication = { settings: settingsOf(data, context, open), open };
    const application = applications.add(self, unsubscribeIfUnused);
    const found = new FoundInstances(self);
    let providers: ProviderWatch | undefined;
    subscribe();
    const instruments = context.meter(queryMetrics)?.instruments;
    const stopObservingPools = instruments && observePools(instruments, () => found.readPools());
    // A constructor may already ask a client for what it uses later: a collection, or a prepared statement.
    const stopInjectionWatch = watchInjections(context.modules, found.onInstance);
    return {
      providersReady() {
        stopInjectionWatch();
        providers = watchProviders(context.modules, found);
        found.report();
      },
      acquire() {
        providers?.scan();
        application.acquire();
        subscribe();
      },
      release: () => application.release(),
      drain() {
        const others = applications.all.filter((other) => other !== self).map((other) => other.open);
        // An application of another copy of the library has queries of another class.
        open.drain(others.findLast((other) => other instanceof OpenQueries));
        return Promise.resolve();
      },
      shutdown() {
        stopObservingPools?.();
        stopInjectionWatch();
        providers?.stop();
        found.release();
        application.remove();
        self.settings = undefined;
      },
    };
  },
};

function settingsOf(data: ResolvedData, { meter }: IntegrationContext, open: OpenQueries): ApplicationSettings {
  const queryMeter = meter(queryMetrics);
  const waitTime = queryMeter?.instruments.histogram(waitTimeMetric);
  const settings: Partial<Record<DataLibraryName, QuerySettings>> = {};
  for (const [library, recording] of Object.entries(data) as [DataLibraryName, QuerySettings][]) {
    settings[library] = Object.freeze({ ...recording, meter: queryMeter, waitTime, open });
  }
  return Object.freeze(settings);
}

/** Ends the subscriptions, which all applications that use this copy of the library share. */
let unsubscribe: (() => void) | undefined;

function subscribe(): void {
  if (unsubscribe) return;
  const undos = dataLibraries.map(({ name, subscribe: start }) =>
    callSafely(`Subscribing to the channels of ${name}`, () => start?.(() => applications.newest?.settings?.[name])),
  );
  unsubscribe = () => {
    for (const undo of undos) undo?.();
  };
}

function unsubscribeIfUnused(): void {
  if (applications.hasOwnApplications) return;
  unsubscribe?.();
  unsubscribe = undefined;
}
