import type { ReadableSpan, Sampler, SpanProcessor } from '../../lib/options/sdk-types.js';
import { FixedResource } from '../../lib/sdk/fixed-resource.js';
import { alwaysOn, parentBased } from '../../lib/sampling/standard-samplers.js';
import { withTraceBeginnings } from '../../lib/sampling/trace-beginnings.js';
import { Pipeline } from '../../lib/tracer/pipeline.js';
import type { Sampling } from '../../lib/tracer/sampling.js';
import type { SpanLimits } from '../../lib/tracer/span-limits.js';

const attributes = { count: 128, valueLength: 8192 };
const LIMITS: SpanLimits = {
  attributes,
  eventAttributes: attributes,
  linkAttributes: attributes,
  eventCount: 128,
  linkCount: 128,
};

/** A span processor that keeps the spans that have ended. */
export class KeptSpans implements SpanProcessor {
  readonly spans: ReadableSpan[] = [];

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    this.spans.push(span);
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** Creates a pipeline that samples by the default, unless a sampler is given. */
export function createPipeline(
  processors: readonly SpanProcessor[],
  { limits, sampler, sampling }: { sampler?: Sampler; sampling?: Sampling; limits?: Partial<SpanLimits> } = {},
): Pipeline {
  return new Pipeline({
    processors,
    isObserved: true,
    limits: { ...LIMITS, ...limits },
    resource: new FixedResource({ 'service.name': 'test' }),
    sampling:
      sampling ??
      (sampler
        ? samplingBy(sampler)
        : {
            ...samplingBy(parentBased(alwaysOn)),
            isParentBased: true,
            isUnsampledInherited: true,
            samplesTrace: () => true,
          }),
  });
}

/** The sampling by a sampler that has to decide about each span. */
export function samplingBy(sampler: Sampler): Sampling {
  return {
    sampler: withTraceBeginnings(sampler),
    isParentBased: false,
    isUnsampledInherited: false,
    samplesTrace: undefined,
  };
}
