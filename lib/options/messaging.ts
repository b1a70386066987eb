import { TracingConfigurationError } from '../tracing.errors.js';
import { compileAny, compileRegExp, compileWildcard } from './pattern.js';
import { readOption } from './setting.js';
import { groupIfOn } from './switch.js';
import type { BooleanOption } from './text-types.js';
import { resolveTrust } from './trust.js';

/** The pattern of a message: a text, a text with `*` for any characters, or a regular expression. */
export type MessagePatternOption = string | RegExp;

/** The part of a message that options can use. */
export interface TransportedMessage {
  /** The pattern: that of the handler on the server, the one given to `send()` or `emit()` on the client. */
  readonly pattern: string;
  /** The transport: `tcp`, `redis`, `nats`, `rabbitmq`, `mqtt`, `kafka`, or `custom`. */
  readonly transport: string;
  /** `server` if this process handles the message, `client` if it sends the message. */
  readonly side: 'server' | 'client';
  /** `request` if the sender waits for an answer, `event` if not. */
  readonly type: 'request' | 'event';
}

/** How messages over the transports of `@nestjs/microservices` are traced, on both sides. gRPC has options of its own. */
export interface MessagingOptions {
  /**
   * Messages that are neither traced nor measured: patterns, or a function of the message. On the server, work for such a message is not
   * traced either.
   * @default []
   */
  ignore?:
    MessagePatternOption | readonly MessagePatternOption[] | ((message: TransportedMessage) => boolean) | undefined;

  /**
   * True if the trace context of a sender is adopted. If it is not, a message starts a new trace with a link to the sender's span.
   * A function that throws counts as false.
   * @default true
   */
  trustIncoming?: BooleanOption | ((message: TransportedMessage) => boolean) | undefined;

  /**
   * The relation of the span that handles an event to the span that emitted it. `link`: it starts a trace of its own, with a link, since the
   * sender does not wait for it. `parent`: it is a child, in the same trace. A request is always a child.
   * @default link
   */
  events?: 'link' | 'parent' | undefined;
}

export interface ResolvedMessaging {
  /** True if a message is not traced. It throws if the application's function throws. */
  readonly ignore: (message: TransportedMessage) => boolean;
  /** True if the trace context of a sender is adopted. It throws if the application's function throws. Undefined if it always is. */
  readonly trustIncoming: ((message: TransportedMessage) => boolean) | undefined;
  readonly events: 'link' | 'parent';
}

/** Resolves how messages are traced. Undefined if they are not. */
export function resolveMessaging(given: MessagingOptions | BooleanOption | undefined): ResolvedMessaging | undefined {
  const options = groupIfOn<MessagingOptions>('messaging', given, {
    ignore: true,
    trustIncoming: true,
    events: true,
  });
  if (!options) return undefined;
  return Object.freeze({
    ignore: ignorePredicate(options.ignore),
    trustIncoming: resolveTrust<TransportedMessage>(readOption('messaging.trustIncoming', options.trustIncoming)),
    events: relationOf(options.events),
  });
}

function relationOf(given: MessagingOptions['events']): 'link' | 'parent' {
  if (given === undefined || given === 'link' || given === 'parent') return given ?? 'link';
  throw new TracingConfigurationError('messaging.events', given, 'Use link or parent.');
}

const ignoreNothing = () => false;

function ignorePredicate(given: MessagingOptions['ignore']): ResolvedMessaging['ignore'] {
  if (given === undefined) return ignoreNothing;
  if (typeof given === 'function') return given;
  const matches = compileAny('messaging.ignore', given, compilePattern);
  return (message) => matches(message.pattern);
}

function compilePattern(option: string, pattern: unknown): (text: string) => boolean {
  if (pattern instanceof RegExp) return compileRegExp(pattern);
  if (typeof pattern === 'string' && pattern.trim()) return compileWildcard(pattern.trim());
  const fix = 'Write a pattern, such as orders.placed or orders.*, or a regular expression.';
  throw new TracingConfigurationError(option, pattern, fix);
}
