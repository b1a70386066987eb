import { interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import { hasMethods } from '../core/readable.js';
import type { ResolvedLogs } from '../options/logs.js';
import { traceLogFields } from './trace-log-fields.js';

/** True for a `ConsoleLogger`, or one of a class that extends it: it has the protected methods by which such a class changes its lines. */
export function isConsoleLogger(candidate: unknown): candidate is object {
  return hasMethods(candidate, 'getJsonLogObject', 'formatMessage');
}

/** Adds the trace to the lines of a logger, until the returned function is called. */
export function traceLogger(logger: object, { json, text }: ResolvedLogs): () => void {
  const undos = [
    json &&
      interceptMethod(logger, 'getJsonLogObject', (getJsonLogObject, thisArg, args) => {
        const line: unknown = Reflect.apply(getJsonLogObject, thisArg, args);
        // The application may have fields of these names.
        return isObject(line) ? { ...line, ...missingIn(line, traceLogFields()) } : line;
      }),
    text &&
      interceptMethod(logger, 'formatMessage', (formatMessage, thisArg, args) => {
        const line: unknown = Reflect.apply(formatMessage, thisArg, args);
        const { span_id, trace_id } = traceLogFields();
        return typeof line === 'string' && trace_id !== undefined ? withSuffix(line, trace_id, span_id) : line;
      }),
  ];
  return () => {
    for (const undo of undos) if (undo) undo();
  };
}

function missingIn(line: object, fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !(name in line)));
}

function withSuffix(line: string, traceId: string, spanId: string): string {
  const end = line.endsWith('\n') ? '\n' : '';
  return `${line.slice(0, line.length - end.length)} trace_id=${traceId} span_id=${spanId}${end}`;
}
