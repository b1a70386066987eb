import { hostname } from 'node:os';
import { subscribeChannels } from '../core/channel.js';
import { warn } from '../core/diagnostics.js';
import type { LogLine } from '../core/log-line.js';
import { readLine, type LineFields } from './read-line.js';
import { namedSeverity, pinoSeverity } from './severity.js';
import { withholdErrors } from './withhold-errors.js';

/** The symbol under which a logger has its hooks. pino shares it. */
const HOOKS = Symbol.for('pino.hooks');

/** A logger of pino, with the members that are used here. */
interface PinoLogger {
  readonly levels: { readonly labels: Readonly<Record<number, string>> };
  readonly [HOOKS]?: { readonly streamWrite?: unknown };
  readonly [setting: symbol]: unknown;
}

/** The message that pino publishes when it has finished a line. */
interface PinoMessage {
  readonly instance: PinoLogger;
  /** The values, the message, the level and the time of the line. */
  readonly arguments: ArrayLike<unknown>;
  /** The line. Missing if a serializer has thrown. */
  readonly result?: string;
}

/** The hooks that were reported, because the lines of their loggers are not exported. */
const reported = new WeakSet<object>();

/**
 * Calls `emit` with each line of pino, until the returned function is called. pino publishes a line in the context of the code that logs, when
 * level, bindings, mixin, serializers and redaction have been applied, and no stream or transport has got it yet.
 */
export function followPino(emit: (line: LogLine) => void): () => void {
  const host = hostname();
  const isOmitted = (name: string, value: unknown) =>
    name === 'level' ||
    name === 'time' ||
    (name === 'pid' && value === process.pid) ||
    (name === 'hostname' && value === host);
  return subscribeChannels({
    'tracing:pino_asJson:end': ({ arguments: args, instance, result }: PinoMessage) => {
      if (typeof result !== 'string' || changesLines(instance)) return;
      const level = Number(args[2]);
      const severityText = instance.levels.labels[level] ?? String(level);
      const names: LineFields = {
        message: settingOf(instance, 'pino.messageKey') ?? 'msg',
        error: settingOf(instance, 'pino.errorKey') ?? 'err',
        isOmitted,
      };
      emit({
        ...withholdErrors(readLine(result, names), [args[0]]),
        severityNumber: namedSeverity(severityText) ?? pinoSeverity(level),
        severityText,
      });
    },
  });
}

/**
 * True if a hook of the application changes the lines of a logger after pino has published them. They are not exported: the hook may mask
 * secrets, and it must not be called a second time.
 */
function changesLines({ [HOOKS]: hooks }: PinoLogger): boolean {
  if (!hooks?.streamWrite) return false;
  if (!reported.has(hooks)) {
    reported.add(hooks);
    warn(
      'logs:pino.hooks.streamWrite',
      'The lines of a pino logger are not exported, because its hook `streamWrite` changes them later. Use `redact`, `serializers` or `formatters` instead.',
    );
  }
  return true;
}

/** The symbols of the settings of pino, for each copy of pino. */
const symbolsOf = new Map<string, Set<symbol>>();

/** Returns a setting that a logger has under a symbol of pino's own, which is inherited by its children. */
function settingOf(logger: PinoLogger, description: string): string | undefined {
  let symbols = symbolsOf.get(description);
  if (!symbols) symbolsOf.set(description, (symbols = new Set()));
  for (const symbol of symbols) if (symbol in logger) return logger[symbol] as string;
  for (let owner: object | null = logger; owner; owner = Object.getPrototypeOf(owner) as object | null) {
    const found = Object.getOwnPropertySymbols(owner).find((symbol) => symbol.description === description);
    if (!found) continue;
    symbols.add(found);
    return logger[found] as string;
  }
  return undefined;
}
