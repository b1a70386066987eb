import { traceLogFields, type TraceLogFields } from './trace-log-fields.js';

const NAMES = ['trace_id', 'span_id', 'trace_flags'] as const;

/**
 * Returns an object for `defaultMeta` of winston, by which each line has the fields of `traceLogFields()`. winston reads it when something is
 * logged. A format runs later if a transport does not keep up, and would then find the span of another request.
 *
 * @param meta the other fields of each line. Do not spread the result into another object, because its fields would then never change.
 *
 * @example
 * ```ts
 * winston.createLogger({ defaultMeta: traceLogMeta({ team: 'orders' }) });
 * ```
 */
export function traceLogMeta<Meta extends object = object>(meta?: Meta): Meta & Partial<TraceLogFields> {
  const result = { ...meta } as Meta & Partial<TraceLogFields>;
  for (const name of NAMES) {
    Object.defineProperty(result, name, { enumerable: true, configurable: true, get: () => traceLogFields()[name] });
  }
  return result;
}
