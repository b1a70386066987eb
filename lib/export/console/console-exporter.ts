import { TraceFlags, type SpanContext } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '../../options/sdk-types.js';
import { toMilliseconds } from './terminal-text.js';
import { renderTrace } from './trace-tree.js';
import { SUCCESS, type ExportCallback } from '../export-result.js';

/** The number of spans that may wait for their root. Beyond it, the trace that has waited longest is printed as it is. */
const MAX_WAITING = 1_000;
/** The number of printed traces that are remembered. */
const MAX_PRINTED = 100;

/** The number of open spans that are remembered. A span that never ends must not be remembered for ever. */
const MAX_OPEN = 10_000;

/** The output of the exporter. */
export interface Terminal {
  write(text: string): void;
  readonly colors: boolean;
  readonly columns: number | undefined;
}

interface PrintedTrace {
  readonly start: number;
  readonly spanIds: Set<string>;
}

/**
 * Prints each trace as a tree when its root in this process has ended. For development.
 *
 * An application may call itself, or another application in its process. The span of such a request has a remote parent, but it is no root: it
 * waits for its parent, which is open in this process.
 */
export class ConsoleSpanExporter implements SpanExporter {
  readonly #waiting = new Map<string, ReadableSpan[]>();
  readonly #printed = new Map<string, PrintedTrace>();
  readonly #openIds = new Set<string>();
  #waitingCount = 0;

  constructor(private readonly terminal: Terminal = standardOutput()) {}

  /** Remembers a span that has started and will be exported. */
  onStart(span: Pick<ReadableSpan, 'spanContext'>): void {
    const spanContext = span.spanContext();
    if (!isSampledContext(spanContext)) return;
    this.#openIds.add(spanContext.spanId);
    const [oldest] = this.#openIds;
    if (this.#openIds.size > MAX_OPEN && oldest !== undefined) this.#openIds.delete(oldest);
  }

  export(spans: ReadableSpan[], done: ExportCallback): void {
    for (const span of spans) {
      this.#openIds.delete(span.spanContext().spanId);
      this.#add(span);
      if (this.#isLocalRoot(span)) this.#print(this.#takeSubtree(span));
      else if (this.#isLate(span)) this.#print(this.#takeSubtree(span), 'ended after its root');
    }
    while (this.#waitingCount > MAX_WAITING) this.#printOldest();
    done({ code: SUCCESS });
  }

  /** Prints the spans that still wait for their root. */
  forceFlush(): Promise<void> {
    while (this.#waiting.size > 0) this.#printOldest();
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.forceFlush();
  }

  #add(span: ReadableSpan): void {
    const { traceId } = span.spanContext();
    const spans = this.#waiting.get(traceId);
    if (spans) spans.push(span);
    else this.#waiting.set(traceId, [span]);
    this.#waitingCount++;
  }

  /** Removes a span and its descendants from the waiting spans. A trace may have several roots in one process. */
  #takeSubtree(top: ReadableSpan): ReadableSpan[] {
    const { traceId } = top.spanContext();
    const waiting = this.#waiting.get(traceId) ?? [];
    const ids = new Set([top.spanContext().spanId]);
    const taken = new Set([top]);
    // Children usually end before their parents, so that one pass from the end finds nearly all; others need one more.
    for (let before = 0; before !== taken.size;) {
      before = taken.size;
      for (const span of waiting.toReversed()) {
        const parent = span.parentSpanContext;
        if (!parent || taken.has(span) || !ids.has(parent.spanId)) continue;
        taken.add(span);
        ids.add(span.spanContext().spanId);
      }
    }
    const left = waiting.filter((span) => !taken.has(span));
    if (left.length > 0) this.#waiting.set(traceId, left);
    else this.#waiting.delete(traceId);
    this.#waitingCount -= taken.size;
    return [...taken];
  }

  /** True if no span of this process that is still to be printed is the parent of a span. */
  #isLocalRoot(span: ReadableSpan): boolean {
    const { parentSpanContext: parent } = span;
    if (!parent) return true;
    if (parent.isRemote !== true || this.#openIds.has(parent.spanId)) return false;
    const waiting = this.#waiting.get(parent.traceId) ?? [];
    return waiting.every((other) => other.spanContext().spanId !== parent.spanId);
  }

  /** True if the parent of a span has been printed. */
  #isLate(span: ReadableSpan): boolean {
    const parent = span.parentSpanContext?.spanId;
    return parent !== undefined && (this.#printed.get(span.spanContext().traceId)?.spanIds.has(parent) ?? false);
  }

  #printOldest(): void {
    for (const [traceId, spans] of this.#waiting) {
      this.#waiting.delete(traceId);
      this.#waitingCount -= spans.length;
      this.#print(spans, 'incomplete: its root has not ended');
      return;
    }
  }

  #print(spans: readonly ReadableSpan[], note?: string): void {
    const trace = this.#remember(spans);
    const { colors, columns } = this.terminal;
    this.terminal.write(`${renderTrace(spans, { colors, columns, note, start: trace?.start })}\n`);
  }

  /** Remembers that spans are printed. Returns the printed trace to which they belong, if any. */
  #remember(spans: readonly ReadableSpan[]): PrintedTrace | undefined {
    const traceId = spans[0]?.spanContext().traceId ?? '';
    const known = this.#printed.get(traceId);
    const trace = known ?? {
      start: Math.min(...spans.map((span) => toMilliseconds(span.startTime))),
      spanIds: new Set(),
    };
    for (const span of spans) if (trace.spanIds.size < MAX_WAITING) trace.spanIds.add(span.spanContext().spanId);
    this.#printed.set(traceId, trace);
    const [oldest] = this.#printed.keys();
    if (this.#printed.size > MAX_PRINTED && oldest !== undefined) this.#printed.delete(oldest);
    return known;
  }
}

function isSampledContext({ traceFlags }: SpanContext): boolean {
  return (traceFlags & TraceFlags.SAMPLED) !== 0;
}

let isStdoutBroken: boolean | undefined;

function standardOutput(): Terminal {
  const { stdout } = process;
  if (isStdoutBroken === undefined) {
    isStdoutBroken = false;
    stdout.on('error', onStdoutError);
  }
  return {
    write: (text) => void (isStdoutBroken || stdout.write(text)),
    colors: stdout.isTTY && !process.env.NO_COLOR,
    get columns() {
      return stdout.columns;
    },
  };
}

/** Ignores that the reader of a pipe has ended, as `head` does: this must not end the application. */
function onStdoutError(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  isStdoutBroken = true;
}
