import type { TracerProvider } from '@opentelemetry/api';
import type { Sampler, SpanProcessor } from '../../options/sdk-types.js';
import type { Pipeline } from '../../tracer/pipeline.js';
import { loadFromSdk } from '../packages.js';
import { boundSpans } from './bounded-spans.js';
import { preciseTimes } from './precise-times.js';

interface TraceSdk {
  TracerProvider: new (config: {
    resource: unknown;
    sampler: Sampler;
    spanProcessors: readonly SpanProcessor[];
    spanLimits: Readonly<Record<string, number>>;
  }) => TracerProvider;
}

/** Creates a tracer provider of the SDK, whose spans are sampled, limited and processed as those of the library are. */
export function createStockProvider(pipeline: Pipeline): TracerProvider {
  const { limits, resource, sampling } = pipeline;
  // The provider alone: the SDK's NodeSDK loads every exporter, and reads variables that options have replaced.
  const sdk = loadFromSdk<TraceSdk>('@opentelemetry/sdk-trace');
  const bounded = boundSpans({ textLength: limits.attributes.valueLength });
  return new sdk.TracerProvider({
    resource,
    sampler: sampling.sampler,
    // The pipeline shields the application from its processors, as with spans of the library.
    spanProcessors: [preciseTimes, bounded, pipeline],
    spanLimits: {
      attributeCountLimit: limits.attributes.count,
      attributeValueLengthLimit: limits.attributes.valueLength,
      eventCountLimit: limits.eventCount,
      linkCountLimit: limits.linkCount,
      attributePerEventCountLimit: limits.eventAttributes.count,
      attributePerLinkCountLimit: limits.linkAttributes.count,
    },
  });
}
