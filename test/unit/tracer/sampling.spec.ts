import { describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, trace, type Context } from '@opentelemetry/api';
import type { SamplerName } from '../../../lib/options/sampler.js';
import { createSampling } from '../../../lib/sampling/create-sampling.js';
import { FixedResource } from '../../../lib/sdk/fixed-resource.js';
import { EARLY_LIMITS } from '../../../lib/tracer/span-limits.js';
import { Pipeline } from '../../../lib/tracer/pipeline.js';
import { LibraryTracerProvider } from '../../../lib/tracer/tracer-provider.js';

function isRecorded(type: SamplerName, ratio: number, within: Context): boolean {
  const provider = new LibraryTracerProvider();
  const pipeline = new Pipeline({
    sampling: createSampling({ type, ratio }, 'test'),
    limits: EARLY_LIMITS,
    resource: new FixedResource({}),
    processors: [],
    isObserved: false,
  });
  provider.use(pipeline, undefined);
  return provider.getTracer('test').startSpan('work', {}, within).isRecording();
}

function remote(traceFlags: number): Context {
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    isRemote: true,
    traceFlags,
  });
}

describe('a span', () => {
  it.each<[type: SamplerName, ratio: number, sampled: boolean, unsampled: boolean, root: boolean]>([
    ['always_on', 1, true, true, true],
    ['always_off', 1, false, false, false],
    ['traceidratio', 0, false, false, false],
    ['traceidratio', 1, true, true, true],
    ['parentbased_always_on', 1, true, false, true],
    ['parentbased_always_off', 1, true, false, false],
    ['parentbased_traceidratio', 0, true, false, false],
  ])('sampled by %s of %d is recorded below a sampled span, an unsampled one, and none', (type, ratio, ...expected) => {
    const recorded = [remote(1), remote(0), ROOT_CONTEXT].map((within) => isRecorded(type, ratio, within));
    expect(recorded).toEqual(expected);
  });
});
