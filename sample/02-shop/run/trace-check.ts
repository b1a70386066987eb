import { treesOf, type Attributes, type Span, type SpanKind, type SpanTree } from './span.js';

/** A span that a trace has to have, with exactly these children. */
export interface ExpectedSpan {
  readonly service: string;
  readonly kind: SpanKind;
  readonly name: string;
  readonly failed?: boolean;
  /** Of those in `comparedAttributes`; one that is not named must be missing. */
  readonly attributes?: Attributes;
  readonly children: readonly ExpectedSpan[];
}

const comparedAttributes = [
  'http.response.status_code',
  'tenant.id',
  'order.total',
  'payment.amount',
  'stock.pieces',
  'item.sku',
];

const STEP = ' > ';

/** What is wrong with a trace: nothing, if it has exactly the expected spans, each below its parent. */
export function problemsOf(spans: readonly Span[], expected: ExpectedSpan): string[] {
  const actual = treesOf(spans).map(({ span, children }) => node(span, children, span.parentId !== undefined));
  const wanted = expectedNode(expected);
  const actualPaths = actual.flatMap((tree) => pathsOf(tree));
  const wantedPaths = pathsOf(wanted);
  const problems = [
    ...without(wantedPaths, actualPaths).map((path) => `missing: ${placeOf(path)}`),
    ...without(actualPaths, wantedPaths).map((path) => `unexpected: ${placeOf(path)}`),
    ...spans.filter(({ spanId }, index) => spans.findIndex((it) => it.spanId === spanId) !== index).map(twice),
  ];
  const same = actual.map(textOf).join() === textOf(wanted);
  return problems.length > 0 || same ? problems : ['the right spans, but not each below the right one'];
}

/** A tree without what differs from run to run. */
interface Node {
  readonly label: string;
  readonly children: readonly Node[];
}

function node(span: Span, children: readonly SpanTree[], orphan = false): Node {
  const label = `${orphan ? '(its parent never came) ' : ''}${labelOf(span)}`;
  return { label, children: children.map((child) => node(child.span, child.children)) };
}

function expectedNode(expected: ExpectedSpan): Node {
  return { label: labelOf(expected), children: expected.children.map((child) => expectedNode(child)) };
}

function labelOf({ service, kind, name, failed, attributes = {} }: Omit<ExpectedSpan, 'children'>): string {
  const compared = comparedAttributes.filter((key) => attributes[key] !== undefined);
  const told = compared.map((key) => `${key}=${attributes[key]}`);
  return [service, kind, name, ...told, ...(failed ? ['failed'] : [])].join(' ');
}

/** Equal for two trees if they are the same, whatever the order of children. */
function textOf({ label, children }: Node): string {
  return `${label}(${children.map(textOf).toSorted().join()})`;
}

/** Each node as the way to it. */
function pathsOf({ label, children }: Node, above = ''): string[] {
  const path = above + label;
  return [path, ...children.flatMap((child) => pathsOf(child, path + STEP))];
}

/** The end of a way, which is enough to find it. */
function placeOf(path: string): string {
  return path.split(STEP).slice(-2).toReversed().join(', below ');
}

/** What the one list has more often than the other. */
function without(paths: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return paths.filter((path) => {
    const index = left.indexOf(path);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}

function twice(span: Span): string {
  return `came twice: ${labelOf(span)}`;
}
