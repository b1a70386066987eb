/** The levels of Nest's loggers. */
export type LogLevel = 'verbose' | 'debug' | 'log' | 'warn' | 'error' | 'fatal';

/** What a logger has written at once. */
export interface LogLine {
  readonly level: LogLevel;
  /** A text, or a value that the logger writes as JSON. */
  readonly message: unknown;
  /** The context that Nest's loggers have, which is mostly the name of a class. */
  readonly context: string | undefined;
  /** The stack trace of an error. */
  readonly stack: string | undefined;
}
