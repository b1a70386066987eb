import { context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { describe, expect, it } from '@jest/globals';
import { IncomingOperation, type IncomingExchange } from '../../../lib/core/incoming-operation.js';
import type { OperationMeter } from '../../../lib/core/operation-meter.js';
import { Operation } from '../../../lib/core/operation.js';
import { isTracingSuppressed } from '../../../lib/core/suppression.js';
import { recordSpans } from '../../support/recorded-spans.js';

const spans = recordSpans();

const exchange: IncomingExchange<string> = {
  describeEnd: ({ span }, outcome) => void span.setAttribute('outcome', outcome),
  measuredAttributes: (outcome) => ({ outcome }),
};

/** A meter that keeps what it measures. */
function recordMeasurements() {
  const measured: unknown[] = [];
  const meter = { start: () => ({ end: (attributes: unknown) => void measured.push(attributes) }) };
  return { measured, meter: meter as unknown as OperationMeter };
}

describe('IncomingOperation', () => {
  it('lets the function join that it is started for, and no other', () => {
    const placement = { parent: ROOT_CONTEXT };
    const options = { kind: SpanKind.INTERNAL, placement, forFunction: 'Jobs.purge', meter: undefined };
    const incoming = IncomingOperation.start('Jobs.purge', exchange, options);
    incoming.run(() => {
      expect(Operation.joinFor('Jobs.other')).toBeUndefined();
      expect(Operation.joinFor('Jobs.purge')?.span).toBe(incoming.span);
    });
    incoming.end('done');
    expect(spans.one('Jobs.purge').attributes).toEqual({ outcome: 'done' });
  });

  it('that is only measured has no span, nor has anything below it', () => {
    const { measured, meter } = recordMeasurements();
    const incoming = IncomingOperation.measureOnly(exchange, meter, ROOT_CONTEXT);
    incoming.measure(() => ({}));
    incoming.run(() => {
      expect(isTracingSuppressed(context.active())).toBe(true);
      expect(IncomingOperation.active()).toBe(incoming);
      expect(trace.getActiveSpan()?.isRecording()).toBe(false);
    });
    incoming.end('done');
    incoming.end('again');
    expect([measured, spans.names()]).toEqual([[{ outcome: 'done' }], []]);
  });
});
