/** The severity numbers of OpenTelemetry's log data model, by the names of levels that winston, syslog and pino have. */
const NUMBERS: Readonly<Record<string, number>> = {
  silly: 1,
  trace: 1,
  debug: 5,
  verbose: 6,
  http: 7,
  info: 9,
  notice: 10,
  warn: 13,
  warning: 13,
  error: 17,
  crit: 18,
  alert: 19,
  emerg: 21,
  fatal: 21,
};

/** The severity numbers of the levels of Nest, whose `verbose` is below `debug`. */
const NEST_NUMBERS: Readonly<Record<string, number>> = {
  verbose: 1,
  debug: 5,
  log: 9,
  warn: 13,
  error: 17,
  fatal: 21,
};

/** Returns the severity number of a level of Nest. */
export function nestSeverity(level: string): number | undefined {
  return NEST_NUMBERS[level];
}

/** Returns the severity number of a level by its name. Undefined for a level of the application's own. */
export function namedSeverity(level: string): number | undefined {
  return Object.hasOwn(NUMBERS, level) ? NUMBERS[level] : undefined;
}

/** Returns the severity number of a level of pino, whose own levels lie between 10 (trace) and 60 (fatal), ten apart. */
export function pinoSeverity(level: number): number {
  return Math.min(24, Math.max(1, Math.trunc(1 + (level - 10) * 0.4)));
}
