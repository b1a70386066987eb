import type { Span, TraceState } from '@opentelemetry/api';
import { IdentifiedSpan } from './identified-span.js';
import type { LocalTrace } from './local-trace.js';

/** A span that is not recorded. It has an id of its own, so that a service that is called can tell it apart from others. */
export class UnsampledSpan extends IdentifiedSpan implements Span {
  constructor(trace: LocalTrace, traceState: TraceState | undefined) {
    super(trace, undefined, false, traceState);
  }

  isRecording(): boolean {
    return false;
  }

  setAttribute(): this {
    return this;
  }

  setAttributes(): this {
    return this;
  }

  addEvent(): this {
    return this;
  }

  addLink(): this {
    return this;
  }

  addLinks(): this {
    return this;
  }

  setStatus(): this {
    return this;
  }

  updateName(): this {
    return this;
  }

  recordException(): void {}

  end(): void {}
}
