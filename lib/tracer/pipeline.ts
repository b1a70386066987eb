import type { Context } from '@opentelemetry/api';
import { reportIgnored } from '../core/diagnostics.js';
import type { ReadableSpan, SpanProcessor } from '../options/sdk-types.js';
import { CandidateTraces } from './candidate-trace.js';
import type { Sampling } from './sampling.js';
import type { SpanLimits } from './span-limits.js';

export interface PipelineOptions {
  readonly sampling: Sampling;
  readonly limits: SpanLimits;
  readonly resource: ReadableSpan['resource'];
  /** The processors, in the order in which they see each span. */
  readonly processors: readonly SpanProcessor[];
  /** True if a processor or an exporter is none of the library: it sees spans with the own properties of those of the SDK. */
  readonly isObserved: boolean;
}

const SUBJECT = 'A span processor';

/** The span of the library, as a processor receives it. */
type ProcessedSpan = Parameters<SpanProcessor['onStart']>[0];

/** What becomes of the spans of an application: whether they are sampled, how they are limited, and who receives them. */
export class Pipeline {
  readonly sampling: Sampling;
  readonly limits: SpanLimits;
  readonly resource: ReadableSpan['resource'];
  readonly isObserved: boolean;
  /** The unsampled traces that may be kept. Undefined if no option keeps any. */
  readonly candidates: CandidateTraces | undefined;
  private readonly processors: readonly SpanProcessor[];
  private readonly endingProcessors: readonly SpanProcessor[];

  constructor({ isObserved, limits, processors, resource, sampling }: PipelineOptions) {
    this.sampling = sampling;
    this.candidates = sampling.keep && new CandidateTraces(sampling.keep);
    this.isObserved = isObserved;
    this.limits = limits;
    this.resource = resource;
    this.processors = processors;
    this.endingProcessors = processors.filter((processor) => typeof processor.onEnding === 'function');
  }

  onStart(span: ProcessedSpan, parent: Context): void {
    for (const processor of this.processors) {
      try {
        handleRejection(processor.onStart(span, parent));
      } catch (error) {
        reportIgnored(SUBJECT, error);
      }
    }
  }

  /** The span can still be changed. */
  onEnding(span: ProcessedSpan): void {
    for (const processor of this.endingProcessors) {
      try {
        handleRejection(processor.onEnding?.(span));
      } catch (error) {
        reportIgnored(SUBJECT, error);
      }
    }
  }

  onEnd(span: ReadableSpan): void {
    for (const processor of this.processors) {
      try {
        handleRejection(processor.onEnd(span));
      } catch (error) {
        reportIgnored(SUBJECT, error);
      }
    }
  }

  async forceFlush(): Promise<void> {
    await this.callAll((processor) => processor.forceFlush());
  }

  async shutdown(): Promise<void> {
    this.candidates?.decideAll();
    await this.callAll((processor) => processor.shutdown());
  }

  private async callAll(call: (processor: SpanProcessor) => Promise<void>): Promise<void> {
    const calls = this.processors.map(async (processor) => {
      try {
        await call(processor);
      } catch (error) {
        reportIgnored(SUBJECT, error);
      }
    });
    await Promise.all(calls);
  }
}

/** Handles the rejection of a method that an application has written as an async one: it would end the process. */
function handleRejection(result: unknown): void {
  if (result !== undefined) Promise.resolve(result).catch((error: unknown) => reportIgnored(SUBJECT, error));
}
