export type Level = 'ok' | 'warning' | 'error';

/** The result of a check: one line of the report. */
export interface Finding {
  readonly level: Level;
  /** The name of the check, such as `tsconfig`. */
  readonly check: string;
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string;
}

export function ok(check: string, message: string): Finding {
  return { level: 'ok', check, message };
}

export function warning(check: string, message: string, fix: string): Finding {
  return { level: 'warning', check, message, fix };
}

export function error(check: string, message: string, fix: string): Finding {
  return { level: 'error', check, message, fix };
}
