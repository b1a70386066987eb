import { groupIfOn, isOn } from './switch.js';
import type { BooleanOption } from './text-types.js';

/** The packages whose handlers have spans. */
export interface EventsOptions {
  /**
   * True if each call of an `@OnEvent()` method of `@nestjs/event-emitter` has a span.
   * @default true
   */
  emitter?: BooleanOption | undefined;

  /**
   * True if each execution of a command, query or event handler of `@nestjs/cqrs` has a span.
   * @default true
   */
  cqrs?: BooleanOption | undefined;
}

/** How events, commands and queries are traced. */
export interface ResolvedEvents {
  readonly emitter: boolean;
  readonly cqrs: boolean;
}

/** Resolves how events, commands and queries are traced. Returns undefined if they are not. */
export function resolveEvents(given: BooleanOption | EventsOptions | undefined): ResolvedEvents | undefined {
  const options = groupIfOn<EventsOptions>('events', given, { emitter: true, cqrs: true });
  if (!options) return undefined;
  const resolved = Object.freeze({
    emitter: isOn('events.emitter', options.emitter, true),
    cqrs: isOn('events.cqrs', options.cqrs, true),
  });
  return resolved.emitter || resolved.cqrs ? resolved : undefined;
}
