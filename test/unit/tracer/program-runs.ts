import {
  createTraceState,
  trace,
  type Attributes,
  type Span,
  type SpanContext,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import type { ResolvedSampler } from '../../../lib/options/sampler.js';
import type { ReadableSpan, Sampler, SpanProcessor } from '../../../lib/options/sdk-types.js';
import { createSampling } from '../../../lib/sampling/create-sampling.js';
import { FixedResource } from '../../../lib/sdk/fixed-resource.js';
import { createStockProvider } from '../../../lib/sdk/stock/stock-provider.js';
import { copyBaggageToSpans } from '../../../lib/tracer/baggage-attributes.js';
import { Pipeline } from '../../../lib/tracer/pipeline.js';
import { LibraryTracerProvider } from '../../../lib/tracer/tracer-provider.js';
import { runProgram, type Step } from './span-programs.js';
import type { SamplerChoice, Setting } from './tracer-settings.js';

type Log = unknown[][];

function samplerOf(choice: SamplerChoice, log: Log): ResolvedSampler {
  if (choice.type !== 'custom') return choice;
  const { decisions, mutates } = choice;
  const decide: Sampler = {
    shouldSample(context, traceId, name, kind, attributes, links) {
      const parent = trace.getSpanContext(context);
      log.push([
        'shouldSample',
        shown(parent),
        traceId,
        name,
        kind,
        present(attributes),
        links.map((link) => present(link.attributes)),
      ]);
      if (mutates) Object.assign(attributes, { mutated: true, a: ['by the sampler'] });
      return {
        decision: decisions[String(name).slice(0, 100).length % decisions.length]!,
        ...(choice.attributes && { attributes: choice.attributes }),
        ...(choice.traceState !== undefined && { traceState: createTraceState(choice.traceState) }),
      };
    },
  };
  return { type: 'custom', sampler: decide };
}

/** Returns the attributes without those that have no value: they are never exported. */
function present(attributes: Attributes | undefined): Attributes {
  return structuredClone(Object.fromEntries(Object.entries(attributes ?? {}).filter(([, value]) => value != null)));
}

export function shown(spanContext: SpanContext | undefined): unknown {
  if (!spanContext) return 'none';
  const { isRemote, spanId, traceFlags, traceId, traceState } = spanContext;
  return { traceId, spanId, traceFlags, isRemote, traceState: traceState?.serialize() };
}

function loggingProcessor({ changes }: Setting, log: Log, ended: ReadableSpan[]): SpanProcessor {
  return {
    onStart(span, parent) {
      log.push([
        'onStart',
        span.spanContext().spanId,
        shown(trace.getSpanContext(parent)),
        span.isRecording(),
        { ...span.attributes },
      ]);
      if (changes.onStart) span.setAttribute('started', true).addEvent('started');
    },
    onEnding(span) {
      log.push(['onEnding', span.spanContext().spanId, span.isRecording(), { ...span.attributes }, span.events.length]);
      if (!changes.onEnding) return;
      span
        .setAttributes({ a: 'ending', ending: [1, 2] })
        .addEvent('ending')
        .updateName(`${String(span.name)}!`);
      span.setStatus({ code: 2, message: 'ending' });
    },
    onEnd(span) {
      log.push([
        'onEnd',
        span.spanContext().spanId,
        span.ended,
        { ...span.attributes },
        span.duration.every((part) => part >= 0),
      ]);
      ended.push(span);
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}

/** What can be observed of the run of a program. */
export interface Result {
  readonly log: Log;
  readonly spanContexts: readonly SpanContext[];
  readonly isRecording: readonly boolean[];
  readonly exported: readonly ReadableSpan[];
}

interface StartedRun {
  readonly pipeline: Pipeline;
  readonly createStock: () => TracerProvider;
  readonly log: Log;
  readonly ended: ReadableSpan[];
}

function startRun(setting: Setting): StartedRun {
  const log: Log = [];
  const ended: ReadableSpan[] = [];
  const pipeline = new Pipeline({
    sampling: createSampling(samplerOf(setting.sampler, log), 'test'),
    limits: setting.limits,
    resource: new FixedResource({ 'service.name': 'test' }),
    processors: [copyBaggageToSpans(['tenant']), loggingProcessor(setting, log, ended)],
    isObserved: setting.isObserved,
  });
  return { pipeline, createStock: () => createStockProvider(pipeline), log, ended };
}

function resultOf({ ended, log }: StartedRun, spans: readonly Span[]): Result {
  const exported = ended.filter((span) => span.spanContext().traceFlags & 1);
  const spanContexts = spans.map((span) => span.spanContext());
  return { log, spanContexts, isRecording: spans.map((span) => span.isRecording()), exported };
}

function tracersOf(provider: TracerProvider): Tracer[] {
  return [
    provider.getTracer('one'),
    provider.getTracer('two', '1.0', { schemaUrl: 'https://schema/1' }),
    provider.getTracer(undefined as never),
  ];
}

/** Runs a program by the tracer of the library. */
export function runByLibrary(program: readonly Step[], setting: Setting): Result {
  const run = startRun(setting);
  const provider = new LibraryTracerProvider();
  provider.use(run.pipeline, undefined);
  return resultOf(run, runProgram(program, tracersOf(provider)));
}

/** Runs a program by the tracer of the SDK, which gets the ids that the spans of another run have. */
export function runByStock(program: readonly Step[], setting: Setting, ids: readonly SpanContext[]): Result {
  const run = startRun(setting);
  const provider = run.createStock();
  let next: SpanContext | undefined;
  const { _tracerOptions: options } = provider as unknown as { _tracerOptions: { idGenerator: object } };
  options.idGenerator = { generateTraceId: () => next?.traceId, generateSpanId: () => next?.spanId };
  return resultOf(run, runProgram(program, tracersOf(provider), { starting: (index) => (next = ids[index]) }));
}

/** Runs a program by the tracer of the library, to which the options become known before a step of the program. */
export function runEarly(program: readonly Step[], setting: Setting, knownAt: number): Result {
  const run = startRun(setting);
  const provider = new LibraryTracerProvider();
  provider.startBuffering();
  const know = () => void provider.use(run.pipeline, undefined);
  const spans = runProgram(program, tracersOf(provider), { step: (index) => void (index === knownAt && know()) });
  if (!provider.pipeline) know();
  return resultOf(run, spans);
}
