import { context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Operation } from '../../../lib/core/operation.js';
import { registerContextManager, registerProvider, unregisterProvider } from '../../../lib/sdk/globals.js';

let undo = () => {};
afterEach(() => {
  undo();
  unregisterProvider();
});

function provide(sampler: Sampler, parentBased: boolean): void {
  registerProvider(Object.assign(new TracerProvider({ sampler }), { isUnsampledInherited: parentBased }));
  undo = registerContextManager();
}

const silent = (options = {}) => Operation.unrecordedSpanFor(context.active(), options) !== undefined;
const off = () => new ParentBasedSampler({ root: new AlwaysOffSampler() });

describe('nothing is made', () => {
  it('where no provider is registered', () => {
    expect(silent()).toBe(true);
    expect(silent({ root: true, kind: SpanKind.CLIENT })).toBe(true);
    provide(new AlwaysOnSampler(), false);
    expect(silent()).toBe(false);
    unregisterProvider();
    expect(silent()).toBe(true);
  });

  it('below a span that is not kept, where the sampler decides about whole traces', () => {
    provide(off(), true);
    expect(silent()).toBe(false);
    const server = Operation.start('server', { kind: SpanKind.SERVER });
    server.run(() => {
      expect(Operation.unrecordedSpanFor(context.active(), {})).toBe(server.span);
      expect([silent({ root: true }), silent({ kind: SpanKind.CLIENT })]).toEqual([false, false]);
      context.with(trace.deleteSpan(context.active()), () => expect(silent()).toBe(false));
    });
  });

  it('but by a sampler that may keep what stands further in', () => {
    provide(off(), false);
    Operation.start('server').run(() => expect(silent()).toBe(false));
  });

  it('but below a span that has ended: its trace is kept', () => {
    provide(new ParentBasedSampler({ root: new AlwaysOnSampler() }), true);
    const operation = Operation.start('work');
    operation.run(() => expect(silent()).toBe(false));
    operation.end();
    operation.run(() => expect(silent()).toBe(false));
  });

  it('but below a caller that is not ours to know', () => {
    provide(off(), true);
    const caller = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 0, isRemote: true };
    context.with(trace.setSpanContext(ROOT_CONTEXT, caller), () => expect(silent()).toBe(false));
  });
});
