import { registerContextManager, registeredProvider, registerProvider, unregisterProvider } from '../globals.js';
import { createPropagator } from '../propagators.js';
import { startProvider, useForeignProvider } from '../provider.js';
import { processState, registeredProviderExceptEarly, type Lease } from './process-state.js';
import { SharedProvider } from './shared-provider.js';
import type { LeaseEffect, ProcessEffect } from './states.js';
import {
  warnOfDroppedEarlySpans,
  warnOfForeignProvider,
  warnOfRepetition,
  warnOfSharing,
  warnOfVersions,
} from './warnings.js';

type Effects = Readonly<
  Record<ProcessEffect, () => void | Promise<void>> & Record<LeaseEffect, (lease: Lease) => void | Promise<void>>
>;

/** The effects of the transitions. Each is called in states that have the provider that it needs. */
export const EFFECTS: Effects = {
  registerEarlyProvider() {
    const { early } = processState;
    if (registeredProvider() !== early) registerProvider(early);
    processState.unregisterContextManager ??= registerContextManager();
    early.startBuffering();
  },

  discardBuffered() {
    processState.early.discardBuffered();
  },

  /** The early tracers pass everything on to the provider from then on. */
  replayBuffered() {
    const { early, provider } = processState;
    if (!provider?.tracerProvider) {
      early.discardBuffered();
      return;
    }
    const dropped = early.replayTo(provider.tracerProvider);
    if (dropped > 0) warnOfDroppedEarlySpans(dropped);
  },

  registerProvider() {
    processState.unregisterContextManager ??= registerContextManager();
    processState.provider?.register();
  },

  unregisterProvider() {
    processState.provider?.unregister();
    processState.provider = undefined;
  },

  unregisterGlobals() {
    if (registeredProvider() === processState.early) unregisterProvider();
    processState.unregisterContextManager?.();
    processState.unregisterContextManager = undefined;
  },

  suspendProvider() {
    processState.provider?.unregister();
    processState.suspended = processState.provider;
    processState.provider = undefined;
  },

  resumeSuspended() {
    processState.provider = processState.suspended;
    processState.suspended = undefined;
  },

  shutdownSuspended() {
    const { suspended } = processState;
    processState.suspended = undefined;
    return suspended?.shutdown();
  },

  startProvider(lease) {
    lease.provider = processState.provider = start(lease);
  },

  joinProvider(lease) {
    lease.provider = processState.provider;
  },

  warnOfSharing({ options }) {
    if (processState.provider?.isForeign) warnOfForeignProvider(options);
    else warnOfSharing();
  },

  warnOfRepetition() {
    warnOfRepetition();
  },

  addUser() {
    processState.users++;
  },

  removeUser() {
    processState.users--;
  },

  flushLease: ({ provider }) => provider?.flush(),

  shutdownLease: ({ provider }) => provider?.shutdown(),
};

/** Sets up the SDK as the options say, or uses the provider that another SDK has registered. */
function start({ options }: Lease): SharedProvider {
  const propagator = createPropagator(options.propagators, options.baggage.propagate);
  const foreign = registeredProviderExceptEarly();
  const handle = foreign ? useForeignProvider(foreign) : startProvider(options, processState.early.ids);
  if (foreign) warnOfForeignProvider(options);
  if (!handle.provider) warnOfVersions();
  return new SharedProvider(handle, propagator, options);
}
