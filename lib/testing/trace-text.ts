import { exceptionOf } from './exception-text.js';
import type { SpanSnapshot } from './span-snapshot.js';
import type { RecordedState, RecordedTrace, SpanNode } from './span-tree.js';

/** How spans are written as text. */
export interface TreeOptions {
  /** The attributes that are shown, in this order. @default none */
  readonly attributes?: readonly string[] | undefined;
}

const INDENT = '  ';
const MAX_TEXT = 120;

/** Writes a trace as text: a line for each span, further in than that of its parent. */
export function renderTrace({ roots }: RecordedTrace, options: TreeOptions = {}): string {
  return roots.flatMap((root) => renderNode(root, 0, options)).join('\n');
}

/** Returns the lines of a span and of those below it. */
export function renderNode(node: SpanNode, depth: number, options: TreeOptions = {}): string[] {
  const below = node.children.flatMap((child) => renderNode(child, depth + 1, options));
  return [indent(depth, renderSpan(node, options)), ...below];
}

/** Returns the line of a span: `✗ GET /cats/:id  SERVER  NotFoundException: no such cat`. */
function renderSpan({ span, isOpen }: RecordedState, { attributes = [] }: TreeOptions): string {
  const shown = attributes.filter((key) => span.attributes[key] !== undefined);
  return joinParts(isOpen, span.status === 'ERROR', [
    span.name,
    span.kind === 'INTERNAL' ? undefined : span.kind,
    failureOf(span),
    ...shown.map((key) => renderAttribute(key, span.attributes[key])),
  ]);
}

/** Joins the parts of a line. Those that are undefined are left out. */
export function joinParts(isOpen: boolean, hasFailed: boolean, parts: readonly (string | undefined)[]): string {
  const mark = `${isOpen ? '… ' : ''}${hasFailed ? '✗ ' : ''}`;
  return mark + parts.filter((part) => part !== undefined && part !== '').join('  ');
}

/** Returns an attribute and its value. */
export function renderAttribute(key: string, value: unknown): string {
  return `${key}=${typeof value === 'string' ? onOneLine(value) : (JSON.stringify(value) ?? 'undefined')}`;
}

/** Returns the exception of a span, or the description of its status. */
export function failureOf(span: SpanSnapshot): string | undefined {
  const failure = exceptionOf(span) ?? span.statusMessage;
  return failure === undefined ? undefined : onOneLine(failure);
}

export function indent(depth: number, line: string): string {
  return INDENT.repeat(depth) + line;
}

/** Reads a tree as a test has written it. It may be indented as a whole, and by any number of spaces for each level. */
export function parseTree(text: string): string[] {
  const levels: number[] = [];
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const spaces = line.search(/\S/);
      while (levels.length > 0 && (levels.at(-1) as number) >= spaces) levels.pop();
      levels.push(spaces);
      return indent(levels.length - 1, line.trim());
    });
}

/** Lets any number of spaces within a line count as one. */
export function collapseSpaces(line: string): string {
  return line.replace(/(\S)\s+/g, '$1 ');
}

function onOneLine(text: string): string {
  const [line = ''] = text.split('\n');
  return line.length > MAX_TEXT || line.length < text.length ? `${line.slice(0, MAX_TEXT)}…` : line;
}
