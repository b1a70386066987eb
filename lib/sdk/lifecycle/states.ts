/**
 * The states of the one tracer provider that OpenTelemetry has in a process, and every transition between them.
 *
 * Applications start, fail to start, run side by side and shut down in any order, and Nest reports neither a start that has
 * succeeded nor one that has failed. Nothing changes the provider but a transition of this table; `dispatch.ts` carries
 * them out, and `effects.ts` holds their effects.
 */
export type ProviderState =
  /** The library has registered nothing. */
  | 'idle'
  /** An application starts: the early provider is registered, and buffers spans until the options are known. */
  | 'buffering'
  /** As `buffering`, with the provider of an earlier application set aside: that one was not up when this one began. */
  | 'suspended'
  /** A provider is registered, and no application that is up uses it. */
  | 'unacquired'
  /** A provider is registered, and at least one application that is up uses it. */
  | 'acquired';

/** An event of an application whose options are not known. */
export type ApplicationEvent =
  /** Nest reads the modules of an application, before it creates them. */
  | 'startBuffering'
  /** The application that starts does not trace, or its start has failed. */
  | 'discardBuffered';

/** An event of a module that traces; its lease is its share in a provider. */
export type LeaseEvent =
  /** The options of the module are known. */
  | 'start'
  /** The application of the module is up. */
  | 'acquire'
  /** The application of the module was up, and is no longer. */
  | 'release'
  /** The application of the module shuts down. A lease that is acquired is released first. */
  | 'shutdown';

export type ProviderEvent = ApplicationEvent | LeaseEvent;

/** An effect that needs no lease. */
export type ProcessEffect =
  | 'startBuffering'
  | 'discardBuffered'
  | 'usePipeline'
  | 'registerProvider'
  | 'unregisterProvider'
  | 'unregisterGlobals'
  | 'suspendProvider'
  | 'resumeSuspended'
  | 'shutdownSuspended';

/** An effect that needs the lease of the module from which the event comes. */
export type LeaseEffect =
  | 'startProvider'
  | 'joinProvider'
  | 'warnOfSharing'
  | 'warnOfRepetition'
  | 'addUser'
  | 'removeUser'
  | 'flushLease'
  | 'shutdownLease';

/** The facts on which a transition may depend, beside state and event. */
export interface Facts {
  /** The provider of the state is the one that the lease uses. */
  readonly isOwnProvider: boolean;
  /** The provider of the state was registered by another SDK. */
  readonly isForeignProvider: boolean;
  /** Another module of the same application was configured before. */
  readonly isRepeatedModule: boolean;
  /** Exactly one module has acquired the provider. */
  readonly isLastUser: boolean;
}

export interface Transition<Effect = ProcessEffect | LeaseEffect> {
  /** The facts that this transition needs. */
  readonly when?: Partial<Facts>;
  /** The effects, in their order. */
  readonly effects: readonly Effect[];
  /** The state afterwards. @default the same */
  readonly next?: ProviderState;
  /** True if the event happens once more, in the next state. */
  readonly again?: boolean;
}

/** One transition, or several of which the first counts whose facts hold. */
type Cell<Effect> = Transition<Effect> | readonly Transition<Effect>[];

type Row = Readonly<
  Record<ApplicationEvent, Cell<ProcessEffect>> & Record<LeaseEvent, Cell<ProcessEffect | LeaseEffect>>
>;

const NOTHING = { effects: [] } as const;

/** Cannot happen: a provider that a lease has acquired stays until the lease is released. */
const IMPOSSIBLE = NOTHING;

const START = { next: 'unacquired', effects: ['startProvider', 'registerProvider', 'usePipeline'] } as const;
const RESUME = { next: 'unacquired', effects: ['resumeSuspended', 'registerProvider', 'usePipeline'] } as const;
const START_INSTEAD = { next: 'unacquired', effects: [...START.effects, 'shutdownSuspended'] } as const;

/** The module uses the registered provider, which also receives the spans that its application has buffered. */
const JOIN = [
  { when: { isRepeatedModule: true }, effects: ['warnOfRepetition', 'joinProvider', 'usePipeline'] },
  { effects: ['warnOfSharing', 'joinProvider', 'usePipeline'] },
] as const;

export const TRANSITIONS: Readonly<Record<ProviderState, Row>> = {
  idle: {
    startBuffering: { next: 'buffering', effects: ['startBuffering'] },
    discardBuffered: { effects: ['discardBuffered'] },
    start: START,
    acquire: { ...START, again: true },
    release: IMPOSSIBLE,
    shutdown: { effects: ['shutdownLease'] },
  },

  buffering: {
    startBuffering: { effects: ['startBuffering'] },
    discardBuffered: { next: 'idle', effects: ['discardBuffered', 'unregisterGlobals'] },
    start: START,
    acquire: { ...START, again: true },
    release: IMPOSSIBLE,
    shutdown: { effects: ['shutdownLease'] },
  },

  suspended: {
    startBuffering: { effects: ['startBuffering'] },
    discardBuffered: { next: 'unacquired', effects: ['discardBuffered', ...RESUME.effects] },
    start: START_INSTEAD,
    acquire: [
      { when: { isOwnProvider: true }, ...RESUME, again: true },
      { ...START_INSTEAD, again: true },
    ],
    release: IMPOSSIBLE,
    shutdown: [
      { when: { isOwnProvider: true }, next: 'buffering', effects: ['shutdownSuspended'] },
      { effects: ['shutdownLease'] },
    ],
  },

  unacquired: {
    startBuffering: [
      { when: { isForeignProvider: true }, effects: [] },
      { next: 'suspended', effects: ['suspendProvider', 'startBuffering'] },
    ],
    discardBuffered: NOTHING,
    start: [
      // The foreign provider stays, but not the propagators of an application whose start has failed.
      {
        when: { isForeignProvider: true, isRepeatedModule: false },
        next: 'idle',
        effects: ['unregisterProvider', 'unregisterGlobals'],
        again: true,
      },
      ...JOIN,
    ],
    acquire: [
      { when: { isOwnProvider: true }, next: 'acquired', effects: ['addUser'] },
      { next: 'acquired', effects: ['warnOfSharing', 'joinProvider', 'addUser'] },
    ],
    release: IMPOSSIBLE,
    shutdown: [
      {
        when: { isOwnProvider: true },
        next: 'idle',
        effects: ['discardBuffered', 'unregisterProvider', 'unregisterGlobals', 'shutdownLease'],
      },
      { effects: ['shutdownLease'] },
    ],
  },

  acquired: {
    startBuffering: NOTHING,
    discardBuffered: NOTHING,
    start: JOIN,
    acquire: [
      { when: { isOwnProvider: true }, effects: ['addUser'] },
      { effects: ['warnOfSharing', 'joinProvider', 'addUser'] },
    ],
    release: [{ when: { isLastUser: true }, next: 'unacquired', effects: ['removeUser'] }, { effects: ['removeUser'] }],
    shutdown: [{ when: { isOwnProvider: true }, effects: ['flushLease'] }, { effects: ['shutdownLease'] }],
  },
};

/** Returns the transition that an event causes in a state. */
export function transitionOf(state: ProviderState, event: ProviderEvent, facts: Facts): Transition {
  const cell: Cell<ProcessEffect | LeaseEffect> = TRANSITIONS[state][event];
  const transitions = 'effects' in cell ? [cell] : cell;
  return transitions.find(({ when }) => hold(when, facts)) ?? NOTHING;
}

function hold(expected: Partial<Facts> = {}, facts: Facts): boolean {
  return (Object.keys(expected) as (keyof Facts)[]).every((fact) => expected[fact] === facts[fact]);
}
