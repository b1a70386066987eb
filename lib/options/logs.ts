import { checkKeys } from './check-keys.js';
import { parseBoolean } from './parse.js';
import { readOption } from './setting.js';
import { optionsIfOn } from './switch.js';
import type { BooleanOption } from './text-types.js';

/** How the lines of Nest's `ConsoleLogger` carry the trace. */
export interface LogsOptions {
  /**
   * True if lines in JSON get the fields `trace_id`, `span_id` and `trace_flags` of the active span. These are the names of OpenTelemetry's
   * log data model for formats other than OTLP.
   * @default true
   */
  json?: BooleanOption;

  /**
   * True if lines of text end with `trace_id=… span_id=…`. This holds for a logger that the application has given to Nest, since the loggers
   * that Nest creates by itself cannot be reached.
   * @default false
   */
  text?: BooleanOption;
}

export interface ResolvedLogs {
  readonly json: boolean;
  readonly text: boolean;
}

/** Resolves how log lines carry the trace. Undefined if they do not. */
export function resolveLogs(given: LogsOptions | BooleanOption | undefined): ResolvedLogs | undefined {
  const group = optionsIfOn('logs', given);
  if (!group) return undefined;
  const options = checkKeys<LogsOptions>('logs', group, { json: true, text: true });
  const json = readOption('logs.json', options.json);
  const text = readOption('logs.text', options.text);
  return Object.freeze({ json: json ? parseBoolean(json) : true, text: text ? parseBoolean(text) : false });
}
