import { EFFECTS } from './effects.js';
import { processState, type Lease } from './process-state.js';
import { transitionOf, type ApplicationEvent, type Facts, type LeaseEvent, type ProviderEvent } from './states.js';

/**
 * Carries out the transition that an event causes in the state of the process.
 *
 * @returns what the last effect returns: at a shutdown, the promise of the export
 * @throws TracingConfigurationError if a provider cannot be started; the state is the one before the event then
 */
export function dispatch(event: ApplicationEvent): void;
export function dispatch(event: LeaseEvent, lease: Lease): void | Promise<void>;
export function dispatch(event: ProviderEvent, lease?: Lease): void | Promise<void> {
  const before = processState.name;
  const { effects, next = before, again } = transitionOf(before, event, factsFor(lease));
  let outcome: void | Promise<void> = undefined;
  // Before the effects: an application that starts while one of them shuts a provider down must not find that provider.
  processState.name = next;
  try {
    // By the types of the table, an effect that needs a lease belongs to an event that has one.
    for (const effect of effects) outcome = EFFECTS[effect](lease as Lease);
  } catch (error) {
    processState.name = before;
    throw error;
  }
  return again ? dispatch(event as LeaseEvent, lease as Lease) : outcome;
}

function factsFor(lease: Lease | undefined): Facts {
  const { provider, suspended, users } = processState;
  return {
    isOwnProvider: lease?.provider !== undefined && lease.provider === (provider ?? suspended),
    isForeignProvider: provider?.isForeign === true,
    isRepeatedModule: lease?.isRepeatedModule === true,
    isLastUser: users === 1,
  };
}
