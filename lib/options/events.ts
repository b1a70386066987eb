import { checkKeys } from './check-keys.js';
import { parseBoolean } from './parse.js';
import { readOption } from './setting.js';

/** The packages whose handlers have spans. */
export interface EventsOptions {
  /**
   * True if each call of an `@OnEvent()` method of `@nestjs/event-emitter` has a span.
   * @default true
   */
  emitter?: boolean;

  /**
   * True if each execution of a command, query or event handler of `@nestjs/cqrs` has a span.
   * @default true
   */
  cqrs?: boolean;
}

/** How events, commands and queries are traced. */
export interface ResolvedEvents {
  readonly emitter: boolean;
  readonly cqrs: boolean;
}

/** Resolves how events, commands and queries are traced. Returns undefined if they are not. */
export function resolveEvents(given: boolean | EventsOptions | undefined): ResolvedEvents | undefined {
  if (typeof given !== 'object' || given === null) {
    const setting = readOption('events', given);
    const isTraced = !setting || parseBoolean(setting, 'Use true, false, or an object with some of: emitter, cqrs.');
    return isTraced ? Object.freeze({ emitter: true, cqrs: true }) : undefined;
  }
  const options = checkKeys<EventsOptions>('events', given, { emitter: true, cqrs: true });
  const isEnabled = (key: keyof EventsOptions) => {
    const setting = readOption(`events.${key}`, options[key]);
    return !setting || parseBoolean(setting);
  };
  const resolved = Object.freeze({ emitter: isEnabled('emitter'), cqrs: isEnabled('cqrs') });
  return resolved.emitter || resolved.cqrs ? resolved : undefined;
}
