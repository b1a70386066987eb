import type { TracerProvider } from '@opentelemetry/api';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import { EarlyTracerProvider } from '../early-spans.js';
import { registeredProvider } from '../globals.js';
import type { SharedProvider } from './shared-provider.js';
import type { ProviderState } from './states.js';

/** The state that the library keeps once in a process, however many copies of the library are loaded. */
export interface ProcessState {
  name: ProviderState;
  /** Stands in for the provider while an application starts. */
  readonly early: EarlyTracerProvider;
  /** The provider of the states `unacquired` and `acquired`. */
  provider: SharedProvider | undefined;
  /** The provider of the state `suspended`. */
  suspended: SharedProvider | undefined;
  /** The number of modules that have acquired the provider. */
  users: number;
  /** Undoes the registration of the context manager. Undefined while it is not registered. */
  unregisterContextManager: (() => void) | undefined;
  /** The module containers of the applications in which a module was configured. */
  readonly applications: WeakSet<object>;
}

/** The share of one module in a provider. */
export interface Lease {
  readonly options: ResolvedOptions;
  /** True if another module of the same application was configured before. */
  readonly isRepeatedModule: boolean;
  /** The provider that the module uses. Undefined until one has been started or joined. */
  provider: SharedProvider | undefined;
}

// The number is the version of the interface above: change both together. A copy of the library with another version has a
// state of its own, in which the provider of this one is foreign: it is used, and neither replaced nor shut down.
const KEY = Symbol.for('nestjs-tracing:process:2');
const holder = globalThis as { [KEY]?: ProcessState };

export const processState: ProcessState = (holder[KEY] ??= {
  name: 'idle',
  early: new EarlyTracerProvider(),
  provider: undefined,
  suspended: undefined,
  users: 0,
  unregisterContextManager: undefined,
  applications: new WeakSet(),
});

/** Returns the registered provider, unless it is the early one. */
export function registeredProviderExceptEarly(): TracerProvider | undefined {
  const registered = registeredProvider();
  return registered === processState.early ? undefined : registered;
}
