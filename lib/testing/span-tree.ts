import type { SpanSnapshot } from './span-snapshot.js';

/** A span that was recorded. If it has not ended, its properties are those that it has so far. */
export interface RecordedState {
  readonly span: SpanSnapshot;
  readonly isOpen: boolean;
}

/** A span and those below it, in the order in which they have started. */
export interface SpanNode extends RecordedState {
  readonly children: readonly SpanNode[];
}

/** The spans of one trace. It has several roots if it enters the process several times. */
export interface RecordedTrace {
  readonly traceId: string;
  readonly roots: readonly SpanNode[];
}

/** Arranges spans to traces. A span whose parent was not recorded is a root. */
export function toTraces(states: readonly RecordedState[]): readonly RecordedTrace[] {
  const traces = groupBy(states, ({ span }) => span.traceId);
  return [...traces].map(([traceId, members]) => ({ traceId, roots: toRoots(members) }));
}

function toRoots(members: readonly RecordedState[]): readonly SpanNode[] {
  const ids = new Set(members.map(({ span }) => span.spanId));
  const below = groupBy(members, ({ span: { parentSpanId, spanId } }) =>
    parentSpanId !== undefined && parentSpanId !== spanId && ids.has(parentSpanId) ? parentSpanId : undefined,
  );
  const nodesBelow = (parent: string | undefined): SpanNode[] =>
    (below.get(parent) ?? []).map(({ isOpen, span }) => ({ span, isOpen, children: nodesBelow(span.spanId) }));
  return nodesBelow(undefined);
}

function groupBy<Key>(
  states: readonly RecordedState[],
  keyOf: (state: RecordedState) => Key,
): Map<Key, RecordedState[]> {
  const groups = new Map<Key, RecordedState[]>();
  for (const state of states) {
    const key = keyOf(state);
    const group = groups.get(key);
    if (group) group.push(state);
    else groups.set(key, [state]);
  }
  return groups;
}
