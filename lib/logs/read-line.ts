import { stripVTControlCharacters } from 'node:util';
import { isSpanContextValid, type SpanContext } from '@opentelemetry/api';
import { isObject } from '../core/is-object.js';
import { MAX_LOG_TEXT, type LogLine } from '../core/log-line.js';

/** The names of fields that a logger has chosen for its lines in JSON. */
export interface LineFields {
  readonly message: string;
  /** The field of an error. Undefined if the logger has no such field. */
  readonly error?: string;
  /** True for a field that a log record has elsewhere than in its attributes: the level, say. */
  isOmitted(name: string, value: unknown): boolean;
}

export type LineContent = Pick<LogLine, 'attributes' | 'body' | 'spanContext'>;
type Fields = Readonly<Record<string, unknown>>;

const TRACE_FIELDS: ReadonlySet<string> = new Set(['trace_id', 'span_id', 'trace_flags']);

/** The fields by which loggers of requests describe a request and its response. */
const EXCHANGES: ReadonlySet<string> = new Set(['req', 'res']);
/** The members of these fields that may have credentials or personal data. Spans have them redacted, or by an allow-list. */
const WITHHELD: ReadonlySet<string> = new Set([
  'body',
  'cookies',
  'headers',
  'ip',
  'originalUrl',
  'params',
  'query',
  'remoteAddress',
  'remotePort',
  'url',
]);

/**
 * Reads the content of a log record from a line that a logger has finished, and from nothing else: what is redacted, filtered or left out
 * there, must not leave by the record. A line that is no object in JSON is a text.
 */
export function readLine(line: string, names: LineFields): LineContent {
  const text = line.trimEnd();
  const fields = parseFields(text);
  if (!fields) return { attributes: {}, body: stripVTControlCharacters(text) };
  const content = readFields(fields, names);
  return text.length <= MAX_LOG_TEXT ? content : { ...content, attributes: exceptionOf(content) };
}

/** The attributes of a very long line that are kept. */
function exceptionOf({ attributes }: LineContent): Fields {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => name.startsWith('exception.')));
}

function parseFields(text: string): Fields | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Fields;
  } catch {
    return undefined;
  }
}

function readFields(fields: Fields, names: LineFields): LineContent {
  const spanContext = spanContextIn(fields);
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (name === names.message || names.isOmitted(name, value) || (spanContext && TRACE_FIELDS.has(name))) continue;
    if (name === names.error && isObject(value)) addError(attributes, name, value as Fields);
    else if (name === 'stack') addStack(attributes, value);
    else attributes[name] = EXCHANGES.has(name) && isObject(value) ? withoutDetails(value as Fields) : value;
  }
  return { attributes, body: fields[names.message], spanContext };
}

/** Returns the span that fields name. Undefined if they name none: the fields may also be of the application. */
export function spanContextIn({
  span_id: spanId,
  trace_flags: flags,
  trace_id: traceId,
}: Fields): SpanContext | undefined {
  if (typeof spanId !== 'string' || typeof traceId !== 'string') return undefined;
  const spanContext = { spanId, traceId, traceFlags: typeof flags === 'string' ? Number.parseInt(flags, 16) || 0 : 0 };
  return isSpanContextValid(spanContext) ? spanContext : undefined;
}

/** Adds an error as the semantic conventions have it. What it has besides stays in its field. */
function addError(attributes: Record<string, unknown>, field: string, error: Fields): void {
  const { message, stack, type, ...others } = error;
  if (type !== undefined) attributes['exception.type'] = type;
  if (message !== undefined) attributes['exception.message'] = message;
  if (stack !== undefined) attributes['exception.stacktrace'] = stack;
  if (Object.keys(others).length > 0) attributes[field] = others;
}

/** Adds the stack of an error. nest-winston writes a list with a stack, or with null. */
function addStack(attributes: Record<string, unknown>, value: unknown): void {
  const [stack, ...others]: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (typeof stack === 'string' && others.length === 0) attributes['exception.stacktrace'] = stack;
  else if (stack !== null || others.length > 0) attributes['stack'] = value;
}

function withoutDetails(exchange: Fields): Fields {
  return Object.fromEntries(Object.entries(exchange).filter(([name]) => !WITHHELD.has(name)));
}
