import { Writable } from 'node:stream';
import { callSafely } from '../core/diagnostics.js';
import { isObject } from '../core/is-object.js';
import { applications } from './applications.js';
import { readLine, spanContextIn, type LineFields } from './read-line.js';
import { namedSeverity } from './severity.js';
import { withholdErrors } from './withhold-errors.js';

/** The symbols of an entry of winston, which winston shares: its level, and the line that its formats have finished. */
const LEVEL = Symbol.for('level');
const MESSAGE = Symbol.for('message');
/** The symbol of the further arguments of a call of the logger. */
const SPLAT = Symbol.for('splat');

/** An entry of winston, as a transport gets it. */
interface WinstonEntry {
  readonly [LEVEL]?: unknown;
  readonly [MESSAGE]?: unknown;
  readonly [SPLAT]?: unknown;
  readonly message?: unknown;
}

/** A logger of winston, from which an entry comes. */
interface WinstonLogger {
  readonly level?: string;
  readonly levels: Readonly<Record<string, number>>;
}

/** A format of winston. */
interface WinstonFormat {
  readonly options?: unknown;
  transform(entry: never, options?: never): unknown;
}

/** The options of a `LogExportTransport`. */
export interface LogExportTransportOptions {
  /** The least severe level that is exported. @default that of the logger */
  readonly level?: string;
  /** A format that is applied after that of the logger, such as `winston.format.json()` if the lines of the logger are text. @default none */
  readonly format?: WinstonFormat;
}

const FIELDS: LineFields = { message: 'message', isOmitted: (name) => name === 'level' };

/**
 * A transport for winston, which exports what a logger writes as log records, with `logs: { export: true }`. Without that it does nothing.
 *
 * A record has what the line has that the formats have finished: the fields of a line in JSON, else the text. It is below the span that the
 * line names, else below the active one.
 *
 * @example
 * ```ts
 * winston.createLogger({ transports: [new winston.transports.Console(), new LogExportTransport()] });
 * ```
 */
export class LogExportTransport extends Writable {
  /** The least severe level that is exported. Undefined for that of the logger. */
  level?: string;
  /** True if nothing is exported. */
  silent?: boolean;
  readonly #format: WinstonFormat | undefined;
  #logger: WinstonLogger | undefined;

  constructor({ format, level }: LogExportTransportOptions = {}) {
    super({ objectMode: true });
    if (level !== undefined) this.level = level;
    this.#format = format;
    this.on('pipe', (logger) => (this.#logger = logger as unknown as WinstonLogger));
    this.on('unpipe', (logger) => {
      if ((logger as unknown) === this.#logger) this.#logger = undefined;
    });
  }

  /** Exports an entry. winston tells a transport by this method. */
  log(entry: object, next: () => void): void {
    callSafely('The export of a log line', () => this.#export(entry));
    next();
  }

  /** @internal */
  override _write(entry: WinstonEntry, _encoding: BufferEncoding, done: () => void): void {
    if (this.#isExported(entry)) this.log(entry, done);
    else done();
  }

  /** Levels are as in winston: the greater the number, the less severe. */
  #isExported(entry: WinstonEntry): boolean {
    if (this.silent || applications.all.length === 0) return false;
    const level = this.level || this.#logger?.level;
    const { levels } = this.#logger ?? {};
    return !level || !levels || (levels[level] ?? NaN) >= (levels[String(entry[LEVEL])] ?? NaN);
  }

  #export(given: WinstonEntry): void {
    const format = this.#format;
    // Other transports get the same object.
    const entry: unknown = format ? Reflect.apply(format.transform, format, [{ ...given }, format.options]) : given;
    if (!isObject(entry)) return;
    const { [LEVEL]: level, [MESSAGE]: line, message } = entry as WinstonEntry;
    const { [SPLAT]: splat } = given;
    const severityText = String(level);
    // Formats that finish no line leave the choice of fields to each transport: the message is in every choice.
    const content = typeof line === 'string' ? readLine(line, FIELDS) : { attributes: {}, body: message };
    applications.all.at(-1)?.emit({
      ...withholdErrors(content, [given, ...(Array.isArray(splat) ? (splat as unknown[]) : [])]),
      // A transport that does not keep up makes winston call the others in the context of another request.
      spanContext: content.spanContext ?? spanContextIn(entry as Readonly<Record<string, unknown>>),
      severityNumber: namedSeverity(severityText),
      severityText,
    });
  }
}
