import { SpanStatusCode, type Attributes, type AttributeValue } from '@opentelemetry/api';
import {
  ATTR_EXCEPTION_MESSAGE,
  ATTR_EXCEPTION_STACKTRACE,
  ATTR_EXCEPTION_TYPE,
} from '@opentelemetry/semantic-conventions';
import type { ReadableSpan } from '../../options/sdk-types.js';
import { formatOffset, printable, toMilliseconds, type Painter } from './terminal-text.js';

type SpanEvent = ReadableSpan['events'][number];

/** Attributes that repeat the span's name, or are the same for every span. They are not printed; a backend shows them. */
const NOT_PRINTED =
  /^(network|server|client|user_agent|code|thread|url\.scheme$|http\.(route|request\.method)$|(rpc|db|messaging)\.system|exception\.)/;

const MAX_ATTRIBUTES = 8;
const MAX_EVENTS = 16;
const MAX_VALUE = 48;
const MAX_MESSAGE = 160;

/** Returns the lines below the row of a span: its error, attributes, events and links. */
export function renderDetails(span: ReadableSpan, paint: Painter, width: number, directory: string): string[] {
  const shown = span.events.slice(0, MAX_EVENTS);
  return [
    ...statusLine(span, paint),
    ...wrapWords(attributePairs(span.attributes, span.name), width).map((line) => paint('faint', line)),
    ...shown.flatMap((event) => eventLines(event, span, paint, directory)),
    ...(span.events.length > shown.length
      ? [paint('faint', `• ${span.events.length - shown.length} more events`)]
      : []),
    ...span.links.map((link) => paint('faint', `↔ linked to trace ${printable(link.context.traceId, 32)}`)),
  ];
}

function statusLine({ status, events }: ReadableSpan, paint: Painter): string[] {
  const { code, message } = status;
  if (code !== SpanStatusCode.ERROR || !message) return [];
  // The exception, which follows, has the same message.
  if (events.some((event) => event.attributes?.[ATTR_EXCEPTION_MESSAGE] === message)) return [];
  return [paint('error', printable(message, MAX_MESSAGE))];
}

function eventLines(event: SpanEvent, span: ReadableSpan, paint: Painter, directory: string): string[] {
  const offset = paint('time', formatOffset(toMilliseconds(event.time) - toMilliseconds(span.startTime)));
  const attributes = event.attributes ?? {};
  const type = attributes[ATTR_EXCEPTION_TYPE];
  const message = attributes[ATTR_EXCEPTION_MESSAGE];
  if (type === undefined && message === undefined) {
    const pairs = paint('faint', attributePairs(attributes, '').join(' '));
    return [[paint('event', `• ${printable(event.name, 60)}`), offset, pairs].filter(Boolean).join(' ')];
  }
  const exception = [type, message].filter((part) => part !== undefined && part !== '').join(': ');
  const frame = applicationFrame(attributes[ATTR_EXCEPTION_STACKTRACE], directory);
  const line = `${paint('error', `• ${printable(exception, MAX_MESSAGE)}`)} ${offset}`;
  return frame ? [line, paint('faint', `  ${printable(frame, MAX_MESSAGE)}`)] : [line];
}

/** Returns the first line of a stack in a file of the application: not of Node, and not of a package. */
function applicationFrame(stack: AttributeValue | undefined, directory: string): string | undefined {
  if (typeof stack !== 'string') return undefined;
  const frames = stack.split('\n').map((line) => line.trim());
  const frame = frames.find(
    (line) => line.startsWith('at ') && !/node:|node_modules|<anonymous>|\(native\)/.test(line),
  );
  return frame?.replace('file://', '').replace(`${directory}/`, '');
}

function attributePairs(attributes: Attributes, spanName: string): string[] {
  const shown = Object.entries(attributes).filter(
    ([key, value]) => value !== undefined && !NOT_PRINTED.test(key) && !spanName.endsWith(` ${String(value)}`),
  );
  const pairs = shown
    .slice(0, MAX_ATTRIBUTES)
    .map(([key, value]) => `${printable(key, MAX_VALUE)}=${formatValue(value)}`);
  return shown.length > MAX_ATTRIBUTES ? [...pairs, `… ${shown.length - MAX_ATTRIBUTES} more`] : pairs;
}

function formatValue(value: AttributeValue | undefined): string {
  if (typeof value !== 'string') return printable(JSON.stringify(value) ?? '', MAX_VALUE);
  const text = printable(value, MAX_VALUE);
  return /^[^\s"=]+$/.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`;
}

/** Joins words to lines of at most `width` characters. */
function wrapWords(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
