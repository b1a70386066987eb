import type { TracerProvider } from '@opentelemetry/api';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import { LibraryTracerProvider } from '../../tracer/tracer-provider.js';
import { registeredProvider } from '../globals.js';
import type { SharedProvider } from './shared-provider.js';
import type { ProviderState } from './states.js';

/** The state that the library keeps once in a process, however many copies of the library are loaded. */
export interface ProcessState {
  name: ProviderState;
  /** The tracer provider that is registered while an application starts or runs. */
  readonly tracerProvider: LibraryTracerProvider;
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
const KEY = Symbol.for('nestjs-tracing:process:3');
const holder = globalThis as { [KEY]?: ProcessState };

export const processState: ProcessState = (holder[KEY] ??= {
  name: 'idle',
  tracerProvider: new LibraryTracerProvider(),
  provider: undefined,
  suspended: undefined,
  users: 0,
  unregisterContextManager: undefined,
  applications: new WeakSet(),
});

/** Returns the provider that another SDK has registered. Undefined if there is none. */
export function foreignProvider(): TracerProvider | undefined {
  const registered = registeredProvider();
  return registered === processState.tracerProvider ? undefined : registered;
}
