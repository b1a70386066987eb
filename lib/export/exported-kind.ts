/** The names of what is exported, in messages. */
export interface ExportedKind {
  readonly one: string;
  readonly many: string;
  /** How the application has fewer of them. */
  readonly fewer: string;
}

export const SPANS: ExportedKind = { one: 'span', many: 'spans', fewer: 'Keep fewer traces by "sampler"' };
export const LOG_RECORDS: ExportedKind = { one: 'log record', many: 'log records', fewer: 'Log at a higher level' };
