import type { SpanSnapshot } from './span-snapshot.js';
import { exceptionOf } from './exception-text.js';
import { describeValue, matchesValue, type SpanPattern } from './span-pattern.js';
import type { RecordedTrace, SpanNode } from './span-tree.js';
import {
  collapseSpaces,
  failureOf,
  indent,
  joinParts,
  parseTree,
  renderAttribute,
  renderNode,
  renderTrace,
  type TreeOptions,
} from './trace-text.js';

/** A span that a test expects, and those below it. Properties that are left out do not matter. */
export interface ExpectedSpan extends SpanPattern {
  readonly name: string | RegExp;
  /** All spans below it, in the order in which they start. @default they do not matter */
  readonly children?: readonly ExpectedSpan[];
}

/** A trace that a test expects: the text of its tree, or its root. */
export type ExpectedTrace = string | ExpectedSpan;

/** The lines of an expected and of a recorded trace. What does not matter is in neither of them. */
export interface Comparison {
  readonly expected: readonly string[];
  readonly actual: readonly string[];
}

/** Compares a recorded trace with an expected one. */
export function compareTrace(trace: RecordedTrace, expected: ExpectedTrace, options: TreeOptions): Comparison {
  if (typeof expected === 'string') return compareText(renderTrace(trace, options).split('\n'), parseTree(expected));
  const [first, ...others] = trace.roots.map((root, index) =>
    index === 0 ? compareNode(root, expected, 0) : { expected: [], actual: renderNode(root, 0) },
  );
  return [first, ...others].reduce<Comparison>((all, each) => concat(all, each), EMPTY);
}

/** Compares lines. An expected line that differs only in the spaces between its parts is shown as the recorded one. */
function compareText(actual: readonly string[], expected: readonly string[]): Comparison {
  const byText = new Map(actual.map((line) => [collapseSpaces(line), line]));
  return { actual, expected: expected.map((line) => byText.get(collapseSpaces(line)) ?? line) };
}

/** Returns the lines of an expected trace, where there is none to compare it with. */
export function describeExpected(expected: ExpectedTrace): readonly string[] {
  return typeof expected === 'string' ? parseTree(expected) : missingLines(expected, 0);
}

/** True if a comparison has found no difference. */
export function isEqual({ actual, expected }: Comparison): boolean {
  return actual.length === expected.length && actual.every((line, index) => line === expected[index]);
}

/** Returns the number of lines that an expected and a recorded trace have in common, whatever their order. */
export function similarity({ actual, expected }: Comparison): number {
  const left = [...actual];
  return expected.filter((line) => {
    const index = left.indexOf(line);
    if (index !== -1) left.splice(index, 1);
    return index !== -1;
  }).length;
}

const EMPTY: Comparison = { expected: [], actual: [] };

function concat(all: Comparison, each: Comparison | undefined): Comparison {
  if (!each) return all;
  return { expected: [...all.expected, ...each.expected], actual: [...all.actual, ...each.actual] };
}

function compareNode(node: SpanNode, expected: ExpectedSpan, depth: number): Comparison {
  const line = compareSpan(node, expected);
  const own = { expected: [indent(depth, line.expected)], actual: [indent(depth, line.actual)] };
  const { children } = expected;
  if (!children) return own;
  const count = Math.max(children.length, node.children.length);
  const below = Array.from({ length: count }, (_, index) =>
    compareChild(node.children[index], children[index], depth + 1),
  );
  return below.reduce(concat, own);
}

function compareChild(node: SpanNode | undefined, expected: ExpectedSpan | undefined, depth: number): Comparison {
  if (node && expected) return compareNode(node, expected, depth);
  return {
    expected: expected ? missingLines(expected, depth) : [],
    actual: node ? renderNode(node, depth) : [],
  };
}

/** Returns the line of a span as it is expected and as it is. Properties that are as expected are the same in both. */
function compareSpan(
  { isOpen, span }: SpanNode,
  { attributes = {}, exception, kind, name, status }: ExpectedSpan,
): { expected: string; actual: string } {
  const keys = Object.keys(attributes);
  const actual = [
    span.name,
    kind && span.kind,
    exception === undefined ? undefined : (failureOf(span) ?? 'no exception'),
    ...keys.map((key) => renderAttribute(key, span.attributes[key])),
  ];
  const differing = [
    matchesValue(span.name, name) ? undefined : textOf(name),
    kind === undefined || kind === span.kind ? undefined : kind,
    exception === undefined || matchesValue(exceptionOf(span), exception) ? undefined : textOf(exception),
    ...keys.map((key) =>
      matchesValue(span.attributes[key], attributes[key]) ? undefined : expectedAttribute(key, attributes[key]),
    ),
  ];
  // A number and its text read the same.
  const expected = differing.map((part, index) =>
    part !== undefined && part === actual[index] ? `${part} (of another type)` : (part ?? actual[index]),
  );
  return {
    expected: joinParts(false, isErrorLine(status), [...expected, statusPart(status)]),
    actual: joinParts(isOpen, isErrorLine(status && span.status), [...actual, statusPart(status && span.status)]),
  };
}

function missingLines(expected: ExpectedSpan, depth: number): string[] {
  const { attributes = {}, children = [], exception, kind, name, status } = expected;
  const line = joinParts(false, isErrorLine(status), [
    textOf(name),
    kind,
    exception === undefined ? undefined : textOf(exception),
    ...Object.entries(attributes).map(([key, value]) => expectedAttribute(key, value)),
    statusPart(status),
  ]);
  return [indent(depth, line), ...children.flatMap((child) => missingLines(child, depth + 1))];
}

function expectedAttribute(key: string, value: unknown): string {
  return typeof value === 'string' ? renderAttribute(key, value) : `${key}=${describeValue(value)}`;
}

function textOf(text: string | RegExp): string {
  return typeof text === 'string' ? text : String(text);
}

function isErrorLine(status: SpanSnapshot['status'] | undefined): boolean {
  return status === 'ERROR';
}

/** Returns the status of a line. An error has a mark at the beginning of the line. */
function statusPart(status: SpanSnapshot['status'] | undefined): string | undefined {
  return status === undefined || status === 'ERROR' ? undefined : `status=${status}`;
}
