import { treesOf, type Attributes, type Span, type SpanEvent, type SpanTree } from './span.js';

/** Attributes of the semantic conventions, which the tree does not show. It shows only those of the shop. */
const CONVENTIONAL = /^(client|code|db|error|http|messaging|nestjs|network|rpc|server|url|user_agent)\./;

const BAR_WIDTH = 24;
const styles = { strong: 1, faint: 2, error: 31, kind: 35, time: 36 };
/** The colours of the services, in turn. */
const serviceStyles = [34, 32, 33, 36, 35];

interface Row {
  readonly span: Span;
  /** The lines of the tree before the name. */
  readonly lead: string;
  /** The lines of the tree in the rows below. */
  readonly margin: string;
}

/** Draws the spans of one trace as a tree over all services, with a bar for the time of each span. */
export function drawTrace(spans: readonly Span[], colors: boolean): string {
  const rows = treesOf(spans).flatMap((tree) => rowsOf(tree, '', ''));
  const services = [...new Set(rows.map(({ span }) => span.service))];
  const start = Math.min(...spans.map((span) => span.start));
  const total = Math.max(...spans.map((span) => span.end)) - start;
  const serviceWidth = Math.max(...services.map(({ length }) => length)) + 2;
  const nameWidth = Math.max(...rows.map((row) => row.lead.length + titleOf(row.span).length)) + 2;

  const counts = [plural(services.length, 'service'), plural(spans.length, 'span')];
  const lines = [[`trace ${spans[0]?.traceId}`, ...counts, durationOf(total)].join(' · ')];
  for (const { span, lead, margin } of rows) {
    const color = serviceStyles[services.indexOf(span.service) % serviceStyles.length] ?? styles.strong;
    const { from, length } = barOf(span, start, total);
    const row: [style: number, text: string][] = [
      [color, span.service.padEnd(serviceWidth)],
      [styles.faint, lead],
      [span.failed ? styles.error : styles.strong, spanLabel(span)],
      [styles.kind, kindOf(span)],
      [styles.time, durationOf(span.end - span.start).padStart(nameWidth - lead.length - titleOf(span).length + 8)],
      [styles.faint, `  ${'·'.repeat(from)}`],
      [span.failed ? styles.error : color, '━'.repeat(length)],
    ];
    lines.push(row.map(([style, text]) => paint(colors, style, text)).join(''));
    for (const detail of detailsOf(span)) {
      lines.push(paint(colors, styles.faint, `${' '.repeat(serviceWidth)}${margin}${detail}`));
    }
  }
  return lines.join('\n');
}

function paint(colors: boolean, style: number, text: string): string {
  return colors ? `\u001b[${style}m${text}\u001b[0m` : text;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function rowsOf({ span, children }: SpanTree, lead: string, margin: string): Row[] {
  const beneath = children.flatMap((child, index) =>
    index < children.length - 1
      ? rowsOf(child, `${margin}├╴`, `${margin}│ `)
      : rowsOf(child, `${margin}└╴`, `${margin}  `),
  );
  return [{ span, lead, margin: `${margin}${children.length > 0 ? '│ ' : '  '}` }, ...beneath];
}

function spanLabel({ name, failed }: Span): string {
  return failed ? `✗ ${name}` : name;
}

function kindOf({ kind, attributes }: Span): string {
  const code = attributes['http.response.status_code'];
  return `${kind === 'INTERNAL' ? '' : ` ${kind}`}${code === undefined ? '' : ` ${code}`}`;
}

function titleOf(span: Span): string {
  return spanLabel(span) + kindOf(span);
}

function barOf(span: Span, start: number, total: number): { from: number; length: number } {
  const column = (time: number) => Math.round((total > 0 ? (time - start) / total : 0) * BAR_WIDTH);
  const from = Math.min(column(span.start), BAR_WIDTH - 1);
  return { from, length: Math.max(1, column(span.end) - from) };
}

function durationOf(milliseconds: number): string {
  return `${milliseconds.toFixed(milliseconds < 100 ? 1 : 0)} ms`;
}

function detailsOf({ attributes, events }: Span): string[] {
  const pairs = pairsOf(attributes);
  return [...(pairs ? [pairs] : []), ...events.map(eventText)];
}

function eventText({ name, attributes }: SpanEvent): string {
  if (name !== 'exception') return `• ${name} ${pairsOf(attributes)}`.trimEnd();
  return `✗ ${attributes['exception.type']}: ${attributes['exception.message']}`;
}

function pairsOf(attributes: Attributes): string {
  const shown = Object.entries(attributes).filter(([key]) => !CONVENTIONAL.test(key));
  return shown.map(([key, value]) => `${key}=${value}`).join(' ');
}
