import type { SpanContext } from '@opentelemetry/api';

/** The characters of a text in a log record: the queue holds thousands of records. */
export const MAX_LOG_TEXT = 64 * 1024;

/** What a logger has written at once, as a log record has it. */
export interface LogLine {
  /** The number of OpenTelemetry's log data model. Undefined if the severity of the level is not known. */
  readonly severityNumber: number | undefined;
  /** The level, as the logger names it. */
  readonly severityText: string;
  /** A text, or a value that is exported as its JSON says. Undefined if the line has no message. */
  readonly body: unknown;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The span that the line names. Undefined for the active span. */
  readonly spanContext?: SpanContext | undefined;
}
