import { hasKey } from './key-pattern.js';

/** What the name of a command tells of it. */
export interface CommandKind {
  /** The name in capitals. Undefined if it does not look like one: then it may be data. */
  readonly operation: string | undefined;
  /** True if the first argument is a key. */
  readonly hasKey: boolean;
  /** True if the command belongs to no request outside of one: a client sends it by itself, or a loop waits for data. */
  readonly isBackground: boolean;
}

/**
 * The form of the name of a command, those of modules included: words without digits. Anything else may be data that an application sends in its
 * place, or a name that an administrator has given to a command to keep it secret.
 */
const NAME = /^[A-Z]+(?:[._-]{1,2}[A-Z]+){0,4}$/;
const MAX_NAME_LENGTH = 40;

/** The commands of a client's own making, when it connects or checks the connection, and those that wait for data. */
const BACKGROUND: ReadonlySet<string> = new Set(
  `ASKING AUTH CLIENT CLUSTER HELLO INFO PING READONLY SELECT SENTINEL
  BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN XREAD XREADGROUP`.split(/\s+/),
);

/**
 * True for a command by which a client finds the server of a command. It may do so in the midst of a request, and the command has its own span.
 */
export function isLookup(operation: string | undefined, [subcommand]: readonly unknown[]): boolean {
  if (operation === 'CLUSTER') return typeof subcommand === 'string' && subcommand.toUpperCase() === 'SLOTS';
  return operation === 'ASKING' || operation === 'SENTINEL';
}

/** The kinds of commands, by their names as the application writes them. */
const kinds = new Map<string, CommandKind>();
const MAX_KINDS = 1024;

const NO_NAME: CommandKind = { operation: undefined, hasKey: false, isBackground: false };

/** Returns the kind of a command. */
export function kindOf(name: string): CommandKind {
  const known = kinds.get(name);
  if (known) return known;
  const operation = name.toUpperCase();
  if (operation.length > MAX_NAME_LENGTH || !NAME.test(operation)) return NO_NAME;
  const kind = { operation, hasKey: hasKey(operation), isBackground: BACKGROUND.has(operation) };
  if (kinds.size < MAX_KINDS) kinds.set(name, kind);
  return kind;
}
