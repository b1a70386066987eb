import { callSafely } from '../core/diagnostics.js';
import type { Integration, IntegrationHooks } from '../core/integration.js';
import { isObject } from '../core/is-object.js';
import { watchProviders, type ProviderWatch } from '../core/provider-instances.js';
import type { ResolvedEvents } from '../options/events.js';
import { instrumentCommandBus, isCommandBus } from './cqrs/instrument-command-bus.js';
import { instrumentEventBus, isEventBus } from './cqrs/instrument-event-bus.js';
import { instrumentLoader, isLoader } from './emitter/instrument-loader.js';

/** An object of one of the packages that calls handlers. */
interface InstrumentedKind {
  readonly package: keyof ResolvedEvents;
  matches(candidate: object): boolean;
  /** Instruments the object. Returns a function that undoes it. */
  instrument(instance: object): () => void;
}

const KINDS: readonly InstrumentedKind[] = [
  { package: 'emitter', matches: isLoader, instrument: instrumentLoader },
  { package: 'cqrs', matches: isCommandBus, instrument: instrumentCommandBus },
  { package: 'cqrs', matches: isEventBus, instrument: instrumentEventBus },
];

/**
 * Instruments the handlers of events, commands and queries within the application. The objects of the packages that call handlers are
 * found in dependency injection before they register any: they do so when the application starts.
 */
export const eventsIntegration: Integration<{ readonly events: ResolvedEvents | undefined }> = {
  name: 'events',
  start({ events }, { modules }): IntegrationHooks | undefined {
    if (!events) return undefined;
    const instrumented = new Map<object, () => void>();
    let providers: ProviderWatch | undefined;

    function onInstance(candidate: unknown): void {
      if (!isObject(candidate) || instrumented.has(candidate)) return;
      const kind = KINDS.find((each) => events?.[each.package] === true && each.matches(candidate));
      if (kind) instrumented.set(candidate, kind.instrument(candidate));
    }

    return {
      providersReady() {
        providers = watchProviders(modules, {
          onInstance: (candidate) => callSafely('Tracing handlers of events', () => onInstance(candidate)),
          onRequestInstance: () => {},
          watchesFactory: () => false,
        });
      },
      acquire: () => providers?.scan(),
      shutdown() {
        providers?.stop();
        for (const undo of instrumented.values()) callSafely('Undoing the tracing of events', undo);
        instrumented.clear();
      },
    };
  },
};
