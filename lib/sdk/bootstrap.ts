import { warn } from '../core/diagnostics.js';
import { isSdkDisabled } from '../options/enabled.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { EarlyTracerProvider } from './early-spans.js';
import { registerContextManager, registeredProvider, registerProvider, unregisterProvider } from './globals.js';
import { createPropagator } from './propagators.js';
import { foreignProvider, startProvider } from './provider.js';
import type { TracingRuntime } from '../tracing.runtime.js';
import { SharedProvider } from './shared-provider.js';

/** What there is once in a process, however many copies of this library are loaded. */
interface ProcessState {
  /** Stands in for a provider while an application starts. */
  readonly early: EarlyTracerProvider;
  /** The provider that the running modules share, and that of an application that is about to be up. */
  shared: SharedProvider | undefined;
  /**
   * The provider of an application that was not up yet when another one began: that start has failed, which nobody tells
   * us, or it is still under way.
   */
  parked: SharedProvider | undefined;
  /** Undoes the registration of the context manager. */
  undoContextManager: (() => void) | undefined;
  /** The module containers of the applications that have started tracing. */
  readonly applications: WeakSet<object>;
}

const KEY = Symbol.for('nestjs-tracing:process');
const holder = globalThis as { [KEY]?: ProcessState };
const state: ProcessState = (holder[KEY] ??= {
  early: new EarlyTracerProvider(),
  shared: undefined,
  parked: undefined,
  undoContextManager: undefined,
  applications: new WeakSet(),
});

/**
 * Begins to keep the spans of an application that starts, before its options are known. Nothing happens where a provider
 * is there already, or where `OTEL_SDK_DISABLED` says so.
 */
export function beginEarly(): void {
  if (isSdkDisabled(process.env)) return;
  const { shared } = state;
  if (shared) {
    if (shared.users > 0 || shared.foreign) return;
    park(shared);
  } else if (foreignTracerProvider()) return;
  holdEarly();
}

function holdEarly(): void {
  if (registeredProvider() !== state.early) registerProvider(state.early);
  state.undoContextManager ??= registerContextManager();
  state.early.hold();
}

function park(shared: SharedProvider): void {
  if (state.parked) void state.parked.close();
  shared.detach();
  state.parked = shared;
  state.shared = undefined;
}

/** Forgets what has been kept, because the application does not start or does not trace. */
export function abandonEarly(): void {
  if (state.shared) return;
  state.early.drop();
  if (state.parked) use(state.parked);
  else releaseGlobals();
}

/**
 * Sets tracing up as the options say.
 *
 * @param application the same object for every module of an application
 * @throws TracingConfigurationError
 */
export function startTracing(options: ResolvedOptions, application: object): TracingRuntime {
  if (!options.enabled) {
    abandonEarly();
    return DISABLED;
  }
  const repeated = state.applications.has(application);
  state.applications.add(application);
  if (!repeated) dropUnusedForeign();
  if (state.shared) {
    if (repeated) warnOfRepetition();
    else warnOfSharing(state.shared, options);
    return lease(join(state.shared), options, repeated);
  }
  try {
    return lease(start(options), options, repeated);
  } catch (error) {
    abandonEarly();
    throw error;
  }
}

/** A foreign provider stays, but the propagators of an application whose start has failed must not. */
function dropUnusedForeign(): void {
  const { shared } = state;
  if (!shared?.foreign || shared.users > 0) return;
  shared.detach();
  state.shared = undefined;
}

/** Shares a provider, which also gets what this application has traced before it came to it. */
function join(shared: SharedProvider): SharedProvider {
  if (shared.provider) state.early.release(shared.provider);
  return shared;
}

function start(options: ResolvedOptions): SharedProvider {
  const propagator = createPropagator(options.propagators, options.baggage.propagate);
  const foreign = foreignTracerProvider();
  const handle = foreign ? foreignProvider(foreign) : startProvider(options, state.early.ids);
  const shared = new SharedProvider(handle, propagator, options);
  if (foreign) warnOfForeignProvider(options);
  if (!handle.provider) warnOfVersions();
  const { parked } = state;
  state.parked = undefined;
  use(shared);
  if (parked) void parked.close();
  return shared;
}

function use(shared: SharedProvider): void {
  if (state.parked === shared) state.parked = undefined;
  state.shared = shared;
  state.undoContextManager ??= registerContextManager();
  shared.attach();
  if (!shared.provider) {
    state.early.drop();
    return;
  }
  const lost = state.early.release(shared.provider);
  if (lost === 0) return;
  warn('early-spans', `${lost} spans that began before tracing was configured were dropped: too many to keep.`);
}

/** One module's share in the provider: the last to give it back closes it. */
function lease(granted: SharedProvider, options: ResolvedOptions, repeated: boolean): TracingRuntime {
  let shared = granted;
  let retained = false;
  let returned = false;
  return {
    enabled: true,
    repeated,
    foreignProvider: granted.foreign,
    retain() {
      if (retained || returned) return;
      retained = true;
      shared = reclaim(shared, options);
      shared.users++;
    },
    release() {
      if (!retained || returned) return;
      retained = false;
      shared.users--;
    },
    flush: () => shared.flush(),
    finishedSpans: () => shared.finishedSpans(),
    exportStatistics: () => shared.exportStatistics(),
    async shutdown() {
      if (returned) return;
      returned = true;
      if (retained) shared.users--;
      if (shared.users > 0) await shared.flush();
      else await close(shared);
    },
  };
}

/** Other applications may have started, and even closed, since this one got its share. */
function reclaim(shared: SharedProvider, options: ResolvedOptions): SharedProvider {
  if (state.shared === shared) return shared;
  if (state.shared) {
    warnOfSharing(state.shared, options);
    return state.shared;
  }
  if (state.parked !== shared) return start(options);
  use(shared);
  return shared;
}

async function close(shared: SharedProvider): Promise<void> {
  // First of all, so that an application that starts meanwhile gets a provider of its own.
  if (state.parked === shared) state.parked = undefined;
  if (state.shared === shared) {
    state.shared = undefined;
    state.early.drop();
    shared.detach();
    releaseGlobals();
  }
  await shared.close();
}

function releaseGlobals(): void {
  if (registeredProvider() === state.early) unregisterProvider();
  if (state.parked) return;
  state.undoContextManager?.();
  state.undoContextManager = undefined;
}

/** The registered provider, unless it is the one that stands in for ours. */
function foreignTracerProvider(): ReturnType<typeof registeredProvider> {
  const registered = registeredProvider();
  return registered === state.early ? undefined : registered;
}

function warnOfSharing(shared: SharedProvider, options: ResolvedOptions): void {
  if (shared.foreign) {
    warnOfForeignProvider(options);
    return;
  }
  warn(
    'shared-provider',
    'Another application with a TracingModule is running in this process, and OpenTelemetry has one tracer provider per process. This one shares it; its own exporter, sampler, service name, propagators and limits are not used. The provider closes with the last application.',
  );
}

function warnOfRepetition(): void {
  warn(
    'repeated-module',
    'TracingModule is configured more than once in this application, and the options that were there first count. Import TracingModule.forRoot() or forRootAsync() once, in the root module.',
  );
}

function warnOfForeignProvider({ providerOptionsGiven }: ResolvedOptions): void {
  if (providerOptionsGiven.length === 0) return;
  warn(
    'foreign-provider',
    `A tracer provider is registered already, so spans go where it sends them. These options are not used: ${providerOptionsGiven.join(', ')}. Set them there, or register no provider before TracingModule.`,
  );
}

function warnOfVersions(): void {
  warn(
    'api-version',
    'Nothing can be traced: the tracer provider could not be registered with @opentelemetry/api, because two versions of it are installed. Run "npm ls @opentelemetry/api", and install one version for all.',
  );
}

const DISABLED: TracingRuntime = {
  enabled: false,
  repeated: false,
  foreignProvider: false,
  finishedSpans: () => [],
  exportStatistics: () => [],
  retain() {},
  release() {},
  flush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};
