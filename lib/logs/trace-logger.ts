import { callSafely } from '../core/diagnostics.js';
import { interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import type { LogLine } from '../core/log-line.js';
import { hasMethods } from '../core/readable.js';
import type { ResolvedLogs } from '../options/logs.js';
import { nestSeverity } from './severity.js';
import { traceLogFields } from './trace-log-fields.js';

/** What a logger is about to write: the arguments of `printMessages()` that its lines show in another form. */
type Printing = Pick<LogLine, 'attributes'>;

/** True for a `ConsoleLogger`, or one of a class that extends it: it has the protected methods by which such a class changes its lines. */
export function isConsoleLogger(candidate: unknown): candidate is object {
  return hasMethods(candidate, 'getJsonLogObject', 'formatMessage');
}

/**
 * Adds the trace to the lines of a logger, and exports them, until the returned function is called.
 *
 * @param emitLog exports a line. The message is taken where the logger has applied its level, and masked what its option `redact` names.
 */
export function traceLogger(
  logger: object,
  { export: isExported, json, text }: ResolvedLogs,
  emitLog: (line: LogLine) => void,
): () => void {
  let printing: Printing | undefined;
  const emit = (level: unknown, message: unknown) => {
    if (!isExported || !printing) return;
    const severityText = String(level);
    const line = { severityNumber: nestSeverity(severityText), severityText, body: message, ...printing };
    callSafely('The export of a log line', () => emitLog(line));
  };
  const undos = [
    isExported &&
      interceptMethod(logger, 'printMessages', (printMessages, thisArg, args) => {
        const [, context, , , stack] = args;
        const outer = printing;
        printing = {
          attributes: { ...textAs('nestjs.logger.context', context), ...textAs('exception.stacktrace', stack) },
        };
        try {
          const printed: unknown = Reflect.apply(printMessages, thisArg, args);
          return printed;
        } finally {
          printing = outer;
        }
      }),
    (json || isExported) &&
      interceptMethod(logger, 'getJsonLogObject', (getJsonLogObject, thisArg, args) => {
        const line: unknown = Reflect.apply(getJsonLogObject, thisArg, args);
        emit(isObject(args[1]) && 'logLevel' in args[1] ? args[1].logLevel : 'log', args[0]);
        // The application may have fields of these names.
        return json && isObject(line) ? { ...line, ...missingIn(line, traceLogFields()) } : line;
      }),
    (text || isExported) &&
      interceptMethod(logger, 'formatMessage', (formatMessage, thisArg, args) => {
        const line: unknown = Reflect.apply(formatMessage, thisArg, args);
        emit(args[0], args[1]);
        if (!text || typeof line !== 'string') return line;
        const { span_id, trace_id } = traceLogFields();
        return trace_id === undefined ? line : withSuffix(line, trace_id, span_id);
      }),
  ];
  return () => {
    for (const undo of undos) if (undo) undo();
  };
}

function textAs(name: string, value: unknown): Readonly<Record<string, string>> {
  return typeof value === 'string' && value !== '' ? { [name]: value } : {};
}

function missingIn(line: object, fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !(name in line)));
}

function withSuffix(line: string, traceId: string, spanId: string): string {
  const end = line.endsWith('\n') ? '\n' : '';
  return `${line.slice(0, line.length - end.length)} trace_id=${traceId} span_id=${spanId}${end}`;
}
