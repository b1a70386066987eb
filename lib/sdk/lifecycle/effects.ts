import { registerContextManager, registeredProvider, registerProvider, unregisterProvider } from '../globals.js';
import { createPropagator } from '../propagators.js';
import { startPipeline, useForeignProvider } from '../provider.js';
import { foreignProvider, processState, type Lease } from './process-state.js';
import { SharedProvider } from './shared-provider.js';
import type { LeaseEffect, ProcessEffect } from './states.js';
import { warnOfForeignProvider, warnOfRepetition, warnOfSharing } from './warnings.js';

type Effects = Readonly<
  Record<ProcessEffect, () => void | Promise<void>> & Record<LeaseEffect, (lease: Lease) => void | Promise<void>>
>;

/** The effects of the transitions. Each is called in states that have the provider that it needs. */
export const EFFECTS: Effects = {
  startBuffering() {
    const { tracerProvider } = processState;
    if (registeredProvider() !== tracerProvider) registerProvider(tracerProvider);
    processState.unregisterContextManager ??= registerContextManager();
    tracerProvider.startBuffering();
  },

  discardBuffered() {
    processState.tracerProvider.discardBuffered();
  },

  /** Every span goes through the pipeline from then on, and those that are buffered go first. */
  usePipeline() {
    processState.provider?.use();
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
    if (registeredProvider() === processState.tracerProvider) unregisterProvider();
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
  const foreign = foreignProvider();
  const handle = foreign ? useForeignProvider(foreign, options) : startPipeline(options);
  if (foreign) warnOfForeignProvider(options);
  return new SharedProvider(handle, processState.tracerProvider, propagator, options);
}
