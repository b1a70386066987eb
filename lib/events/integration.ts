import { FoundObjects, type ObjectKind } from '../core/found-objects.js';
import type { Integration, IntegrationHooks } from '../core/integration.js';
import { watchProviders, type ProviderWatch } from '../core/provider-instances.js';
import type { ResolvedEvents } from '../options/events.js';
import { instrumentCommandBus, isCommandBus } from './cqrs/instrument-command-bus.js';
import { instrumentEventBus, isEventBus } from './cqrs/instrument-event-bus.js';
import { instrumentLoader, isLoader } from './emitter/instrument-loader.js';

const KINDS: readonly (ObjectKind & { readonly package: keyof ResolvedEvents })[] = [
  { package: 'emitter', name: 'EventSubscribersLoader', matches: isLoader, instrument: instrumentLoader },
  { package: 'cqrs', name: 'CommandBus or QueryBus', matches: isCommandBus, instrument: instrumentCommandBus },
  { package: 'cqrs', name: 'EventBus', matches: isEventBus, instrument: instrumentEventBus },
];

/**
 * Instruments the handlers of events, commands and queries within the application. The objects of the packages that call handlers are
 * found in dependency injection before they register any: they do so when the application starts.
 */
export const eventsIntegration: Integration<{ readonly events: ResolvedEvents | undefined }> = {
  name: 'events',
  start({ events }, { modules }): IntegrationHooks | undefined {
    if (!events) return undefined;
    const found = new FoundObjects(KINDS.filter((kind) => events[kind.package]));
    let providers: ProviderWatch | undefined;
    return {
      providersReady() {
        providers = watchProviders(modules, found);
        found.report();
      },
      acquire: () => providers?.scan(),
      shutdown() {
        providers?.stop();
        found.release();
      },
    };
  },
};
