import { givenOtlpExporter, type ExporterOption } from './exporter.js';
import { resolveLogExporter, type LogExportOptions } from './log-export.js';
import type { ResolvedOtlpExporter } from './otlp-signal.js';
import { parseEach } from './lenient.js';
import { parseName } from './parse.js';
import { readVariable, splitEntries } from './setting.js';
import { groupIfOn, isOn, optionsIfOn } from './switch.js';
import type { BooleanOption } from './text-types.js';

/** How log lines carry the trace. */
export interface LogsOptions {
  /**
   * True if lines in JSON get the fields `trace_id`, `span_id` and `trace_flags` of the active span. These are the names of OpenTelemetry's
   * log data model for formats other than OTLP.
   * @default true
   */
  json?: BooleanOption | undefined;

  /**
   * True if lines of text end with `trace_id=… span_id=…`. This holds for a logger that the application has given to Nest, since the loggers
   * that Nest creates by itself cannot be reached.
   * @default false
   */
  text?: BooleanOption | undefined;

  /**
   * True if what loggers write is also exported as log records over OTLP, each below its span, or settings of this export: the lines of
   * Nest's `ConsoleLogger`, those of every pino in the process (9.10 or later), and those of winston with a `LogExportTransport`. The records
   * wait in a queue with the sizes of `batch`. Standard appenders, such as that of OpenTelemetry for winston, are exported as well: the
   * provider is registered with `@opentelemetry/api-logs`. Exceptions become log records in place of events of spans if
   * `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN` is `logs`, and both if it is `logs/dup`.
   * @default false
   */
  export?: LogExportOptions | BooleanOption | undefined;
}

export interface ResolvedLogs {
  readonly json: boolean;
  readonly text: boolean;
  /** Undefined if no log records are exported. */
  readonly export: ResolvedOtlpExporter | undefined;
  /** What an exception is: an event of its span, a log record, or both. */
  readonly exceptions: ExceptionSignalName;
}

export type ExceptionSignalName = 'events' | 'logs' | 'logs/dup';

const SIGNALS = ['logs', 'logs/dup'] as const;

/**
 * Resolves how log lines carry the trace. Undefined if they do not.
 *
 * @param exporter the exporter of spans as it is given: log records go to the same receiver unless something else is said
 */
export function resolveLogs(
  given: LogsOptions | BooleanOption | undefined,
  exporter: ExporterOption | readonly ExporterOption[] | undefined,
  env: NodeJS.ProcessEnv,
): ResolvedLogs | undefined {
  const options = groupIfOn<LogsOptions>('logs', given, {
    json: true,
    text: true,
    export: true,
  });
  if (!options) return undefined;
  const exporting = resolveExport(options.export, exporter, env);
  return Object.freeze({
    json: isOn('logs.json', options.json, true),
    text: isOn('logs.text', options.text, false),
    export: exporting,
    // Without an export, an exception that were no event would be lost.
    exceptions: exporting ? exceptionSignalIn(env) : 'events',
  });
}

function resolveExport(
  given: LogsOptions['export'],
  exporter: ExporterOption | readonly ExporterOption[] | undefined,
  env: NodeJS.ProcessEnv,
): ResolvedOtlpExporter | undefined {
  const options = optionsIfOn<LogExportOptions>('logs.export', given, false);
  return options && resolveLogExporter('logs.export', options, givenOtlpExporter(exporter), env);
}

/** Reads the variable of the semantic conventions, which is a list. */
function exceptionSignalIn(env: NodeJS.ProcessEnv): ExceptionSignalName {
  const list = readVariable(env, 'OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN');
  const names = list ? parseEach((entry) => parseName(entry, SIGNALS), splitEntries(list)) : [];
  if (names.includes('logs/dup')) return 'logs/dup';
  return names.includes('logs') ? 'logs' : 'events';
}
