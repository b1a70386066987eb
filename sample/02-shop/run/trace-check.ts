import { treesOf, type Attributes, type Span, type SpanKind, type SpanTree } from './span.js';

/** A span that a trace must have, with exactly these children. */
export interface ExpectedSpan {
  readonly service: string;
  readonly kind: SpanKind;
  readonly name: string;
  readonly failed?: boolean;
  /** The expected values of `comparedAttributes`. Attributes that are not named here must be missing. */
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
  'cache.hit',
];

const STEP = ' > ';

/** Returns the problems of a trace: none, if it has exactly the expected spans, each below its parent. */
export function problemsOf(spans: readonly Span[], expected: ExpectedSpan): string[] {
  const actual = treesOf(spans).map(({ span, children }) => node(span, children, span.parentId !== undefined));
  const wanted = expectedNode(expected);
  const actualPaths = actual.flatMap((tree) => pathsOf(tree));
  const wantedPaths = pathsOf(wanted);
  const problems = [
    ...without(wantedPaths, actualPaths).map((path) => `missing: ${placeOf(path)}`),
    ...without(actualPaths, wantedPaths).map((path) => `unexpected: ${placeOf(path)}`),
    ...spans
      .filter(({ spanId }, index) => spans.findIndex((other) => other.spanId === spanId) !== index)
      .map(duplicateProblem),
  ];
  const same = actual.map(textOf).join() === textOf(wanted);
  return problems.length > 0 || same ? problems : ['the right spans, but some have a wrong parent'];
}

/** A node of a tree without the data that differs from run to run. */
interface Node {
  readonly label: string;
  readonly children: readonly Node[];
}

function node(span: Span, children: readonly SpanTree[], orphan = false): Node {
  const label = `${orphan ? '(its parent is missing) ' : ''}${labelOf(span)}`;
  return { label, children: children.map((child) => node(child.span, child.children)) };
}

function expectedNode(expected: ExpectedSpan): Node {
  return { label: labelOf(expected), children: expected.children.map((child) => expectedNode(child)) };
}

function labelOf({ service, kind, name, failed, attributes = {} }: Omit<ExpectedSpan, 'children'>): string {
  const compared = comparedAttributes.filter((key) => attributes[key] !== undefined);
  const pairs = compared.map((key) => `${key}=${attributes[key]}`);
  return [service, kind, name, ...pairs, ...(failed ? ['failed'] : [])].join(' ');
}

/** A text that is equal for two equal trees, in any order of children. */
function textOf({ label, children }: Node): string {
  return `${label}(${children.map(textOf).toSorted().join()})`;
}

/** The path to each node. */
function pathsOf({ label, children }: Node, above = ''): string[] {
  const path = above + label;
  return [path, ...children.flatMap((child) => pathsOf(child, path + STEP))];
}

/** The end of a path, which is enough to find the span. */
function placeOf(path: string): string {
  return path.split(STEP).slice(-2).toReversed().join(', below ');
}

/** The paths that the first list has more often than the second. */
function without(paths: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return paths.filter((path) => {
    const index = left.indexOf(path);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}

function duplicateProblem(span: Span): string {
  return `arrived twice: ${labelOf(span)}`;
}
