import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';
import type { ReadableSpan } from '../../options/sdk-types.js';
import { renderDetails } from './span-details.js';
import {
  createPainter,
  formatDuration,
  formatOffset,
  printable,
  toMilliseconds,
  type Painter,
} from './terminal-text.js';

export interface RenderOptions {
  /** True to use the colours of a terminal. @default false */
  readonly colors?: boolean;
  /** The length of a line, at least 60 characters. @default 100 */
  readonly columns?: number;
  /** A remark in the heading, for example why this is not the whole trace. */
  readonly note?: string;
  /** The start of the trace, in milliseconds. @default the start of the earliest span */
  readonly start?: number;
  /** The directory that is removed from file names in stacks. @default the working directory */
  readonly directory?: string;
}

interface Node {
  readonly span: ReadableSpan;
  readonly children: readonly Node[];
}

interface Row {
  /** The box-drawing characters before the name. */
  readonly lead: string;
  /** The box-drawing characters before the lines below the row. */
  readonly margin: string;
  readonly span: ReadableSpan;
}

const BAR_WIDTH = 20;
/** The width of the duration, the offset and the gaps, which are right of the name. */
const TIMES_WIDTH = 24;
const MAX_NAME = 72;

/** Draws the spans of one trace as a tree, with a bar for the time of each. */
export function renderTrace(spans: readonly ReadableSpan[], options: RenderOptions = {}): string {
  const columns = Math.max(60, options.columns ?? 100);
  const paint = createPainter(options.colors ?? false);
  const directory = options.directory ?? process.cwd();
  const rows = toRows(toTree(spans), '', true);
  if (rows.length === 0) return '';

  const start = options.start ?? Math.min(...spans.map(startOf));
  const total = Math.max(...spans.map(endOf)) - start;
  const bars = columns >= 80 ? BAR_WIDTH + 2 : 0;
  const nameWidth = Math.min(Math.max(...rows.map(labelLength)), columns - TIMES_WIDTH - bars);

  const lines = [formatHeading(spans, total, paint, options.note)];
  for (const { lead, margin, span } of rows) {
    const bar = bars > 0 ? `  ${drawBar(span, start, total, paint)}` : '';
    lines.push(`${formatLabel(lead, span, nameWidth, paint)}${formatTimes(span, start, paint)}${bar}`.trimEnd());
    const details = renderDetails(span, paint, columns - margin.length, directory);
    for (const detail of details) lines.push(paint('faint', margin) + detail);
  }
  return `${lines.join('\n')}\n`;
}

function formatHeading(
  spans: readonly ReadableSpan[],
  total: number,
  paint: Painter,
  note: string | undefined,
): string {
  const [first] = spans;
  const errors = spans.filter(hasErrorStatus).length;
  const parts = [
    `trace ${first?.spanContext().traceId ?? ''}`,
    paint('strong', printable(String(first?.resource.attributes[ATTR_SERVICE_NAME] ?? 'unknown_service'), 60)),
    paint('time', formatDuration(total)),
    plural(spans.length, 'span'),
    errors > 0 ? paint('error', plural(errors, 'error')) : '',
    note ? paint('event', note) : '',
  ];
  return parts.filter(Boolean).join(' · ');
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Arranges spans below their parents. A span whose parent is not among the spans becomes a root of the tree. */
function toTree(spans: readonly ReadableSpan[]): Node[] {
  const ids = new Set(spans.map((span) => span.spanContext().spanId));
  const children = new Map<string | undefined, ReadableSpan[]>();
  for (const span of spans) {
    const parent = span.parentSpanContext?.spanId;
    const key = parent !== undefined && ids.has(parent) && parent !== span.spanContext().spanId ? parent : undefined;
    const siblings = children.get(key);
    if (siblings) siblings.push(span);
    else children.set(key, [span]);
  }
  const nodesOf = (key: string | undefined): Node[] =>
    (children.get(key) ?? [])
      .toSorted((a, b) => startOf(a) - startOf(b))
      .map((span) => ({ span, children: nodesOf(span.spanContext().spanId) }));
  return nodesOf(undefined);
}

function toRows(nodes: readonly Node[], margin: string, isTop: boolean): Row[] {
  return nodes.flatMap(({ span, children }, index) => {
    const isLast = index === nodes.length - 1;
    const lead = isTop ? '' : `${margin}${isLast ? '└─ ' : '├─ '}`;
    const below = isTop ? '' : `${margin}${isLast ? '   ' : '│  '}`;
    const details = `${below}${children.length > 0 ? '│  ' : '   '}`;
    return [{ lead, margin: details, span }, ...toRows(children, below, false)];
  });
}

function labelLength({ lead, span }: Row): number {
  return lead.length + displayName(span).length + kindOf(span).length;
}

function formatLabel(lead: string, span: ReadableSpan, width: number, paint: Painter): string {
  const kind = kindOf(span);
  const name = printable(displayName(span), Math.max(8, width - lead.length - kind.length));
  const padding = ' '.repeat(Math.max(0, width - lead.length - name.length - kind.length));
  return paint('faint', lead) + paint(hasErrorStatus(span) ? 'error' : 'strong', name) + paint('kind', kind) + padding;
}

function displayName(span: ReadableSpan): string {
  return `${hasErrorStatus(span) ? '✗ ' : ''}${printable(span.name, MAX_NAME)}`;
}

function kindOf(span: ReadableSpan): string {
  return span.kind === SpanKind.INTERNAL ? '' : `  ${SpanKind[span.kind] ?? ''}`;
}

function formatTimes(span: ReadableSpan, start: number, paint: Painter): string {
  const offset = startOf(span) - start;
  const duration = formatDuration(toMilliseconds(span.duration)).padStart(11);
  return `${paint('time', duration)} ${paint('faint', (offset === 0 ? '' : formatOffset(offset)).padStart(11))}`;
}

function drawBar(span: ReadableSpan, start: number, total: number, paint: Painter): string {
  const share = (time: number) => (total > 0 ? Math.min(1, Math.max(0, (time - start) / total)) : 1);
  const from = total > 0 ? Math.min(BAR_WIDTH - 1, Math.floor(share(startOf(span)) * BAR_WIDTH)) : 0;
  const to = Math.max(from + 1, Math.round(share(endOf(span)) * BAR_WIDTH));
  const bar = paint(hasErrorStatus(span) ? 'error' : 'good', '━'.repeat(to - from));
  return paint('faint', '·'.repeat(from)) + bar + paint('faint', '·'.repeat(BAR_WIDTH - to));
}

function hasErrorStatus(span: ReadableSpan): boolean {
  return span.status.code === SpanStatusCode.ERROR;
}

function startOf(span: ReadableSpan): number {
  return toMilliseconds(span.startTime);
}

function endOf(span: ReadableSpan): number {
  return toMilliseconds(span.endTime);
}
