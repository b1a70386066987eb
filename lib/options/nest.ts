import { checkKeys } from './check-keys.js';
import { groupIfOn, isOn } from './switch.js';
import type { BooleanOption } from './text-types.js';

/** The stages that have spans. A stage that is left out has them. */
export interface LifecycleOptions {
  /**
   * True if middleware has spans: that of `consumer.apply()`, classes and functions.
   * @default true
   */
  middleware?: BooleanOption | undefined;

  /**
   * True if guards have spans.
   * @default true
   */
  guards?: BooleanOption | undefined;

  /**
   * True if interceptors have spans, which contain the handler.
   * @default true
   */
  interceptors?: BooleanOption | undefined;

  /**
   * True if pipes have spans, one for each parameter.
   * @default true
   */
  pipes?: BooleanOption | undefined;

  /**
   * True if exception filters have spans.
   * @default true
   */
  filters?: BooleanOption | undefined;
}

/** The stages of Nest that a request goes through besides its handler. */
export type LifecycleStage = keyof LifecycleOptions;

/** How Nest itself is traced. */
export interface NestOptions {
  /**
   * True if each middleware, guard, interceptor, pipe and filter of a request or call has a span, named by its class. An object
   * selects stages: `{ pipes: false }` is all of them but pipes.
   * @default false
   */
  lifecycle?: BooleanOption | LifecycleOptions | undefined;
}

/** The stages that have spans. */
export type ResolvedLifecycle = ReadonlySet<LifecycleStage>;

const STAGES: Readonly<Record<LifecycleStage, true>> = {
  middleware: true,
  guards: true,
  interceptors: true,
  pipes: true,
  filters: true,
};

/** Resolves the stages that have spans. Returns undefined if none has. */
export function resolveLifecycle(given: NestOptions | undefined): ResolvedLifecycle | undefined {
  const { lifecycle } = checkKeys<NestOptions>('nest', given, { lifecycle: true });
  const options = groupIfOn<LifecycleOptions>('nest.lifecycle', lifecycle, STAGES, false);
  if (!options) return undefined;
  const traced = (Object.keys(STAGES) as LifecycleStage[]).filter((stage) =>
    isOn(`nest.lifecycle.${stage}`, options[stage], true),
  );
  return traced.length > 0 ? new Set(traced) : undefined;
}
