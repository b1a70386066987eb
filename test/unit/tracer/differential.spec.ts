import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { context as contextApi, type SpanContext } from '@opentelemetry/api';
import * as fc from 'fast-check';
import { contextManager } from '../../../lib/core/context-manager.js';
import { JsonEncoder } from '../../../lib/export/otlp/json-encoder.js';
import { ProtobufEncoder } from '../../../lib/export/otlp/protobuf-encoder.js';
import type { ReadableSpan } from '../../../lib/options/sdk-types.js';
import { loadDependency } from '../../support/load-dependency.js';
import { decodeOtlp, encodeOtlp } from '../../support/otlp-message.js';
import { runByLibrary, runByStock, runEarly, shown, type Result } from './program-runs.js';
import { programs } from './span-programs.js';
import { settings } from './tracer-settings.js';

beforeAll(() => void contextApi.setGlobalContextManager(contextManager));
afterAll(() => contextApi.disable());

/** More for a longer search. A failure shows its seed. */
const NUMBER_OF_PROGRAMS = Number(process.env.PROGRAMS ?? 300);

interface Serializer {
  serializeRequest(spans: readonly ReadableSpan[]): Uint8Array;
}

// The serializers of OpenTelemetry's own exporters.
const stockSerializers = loadDependency<{ JsonTraceSerializer: Serializer; ProtobufTraceSerializer: Serializer }>(
  '@opentelemetry/otlp-transformer',
  '@opentelemetry/exporter-trace-otlp-proto',
);

/** Programs give times that are years away. A measured one may be that of the start of the process, in milliseconds. */
const DAY = 24 * 3_600_000;

/** Replaces times that were measured, rather than given by the program. */
function withoutMeasuredTimes(json: string, from: number): unknown {
  return JSON.parse(json, (name, entry: unknown) => {
    if (!name.endsWith('UnixNano')) return entry;
    const milliseconds = Number(BigInt(entry as string) / 1_000_000n);
    return Math.abs(milliseconds - from) < DAY ? 'measured' : entry;
  });
}

/** Replaces the ids of spans by their place in the program. */
function withoutIds(json: string, spanContexts: readonly SpanContext[]): string {
  const replaced = new Map<string, string>();
  for (const [index, { spanId, traceId }] of spanContexts.entries()) {
    replaced.set(spanId, `span ${index}`);
    if (!replaced.has(traceId)) replaced.set(traceId, `trace of ${index}`);
  }
  return json.replaceAll(/"([\da-f]{16}|[\da-f]{32})"/g, (id, digits: string) =>
    JSON.stringify(replaced.get(digits) ?? id),
  );
}

/** The exported spans in the order of the program, with what an early span does not have in common with others. */
async function comparableSpans({ exported, spanContexts }: Result): Promise<unknown[]> {
  const places = new Map(spanContexts.map(({ spanId }, index) => [spanId, index]));
  const ordered = exported.toSorted(
    (one, other) => places.get(one.spanContext().spanId)! - places.get(other.spanContext().spanId)!,
  );
  const json = encodeOtlp(new JsonEncoder(), ordered).toString();
  const message = withoutMeasuredTimes(withoutIds(json, spanContexts), Date.now()) as Message;
  // Before the limits are known, an attribute that is set twice is only counted once.
  return message.resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.map(({ spans, ...scope }) => [
      scope,
      spans.map((span) => ({ ...span, droppedAttributesCount: span.droppedAttributesCount > 0 })),
    ]),
  );
}

interface Message {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly { readonly droppedAttributesCount: number }[] }[];
  }[];
}

/** The messages of the library and of OpenTelemetry's own exporters, without the times that differ in each run. */
async function messagesOf({ exported }: Result): Promise<unknown[]> {
  const now = Date.now();
  const own = encodeOtlp(new JsonEncoder(), exported).toString();
  const stock = Buffer.from(stockSerializers.JsonTraceSerializer.serializeRequest(exported)).toString();
  return [own, stock].map((json) => withoutMeasuredTimes(json, now));
}

/** Expects that the encoder for spans of the library writes the same as OpenTelemetry's own. */
async function expectSameBytes({ exported }: Result): Promise<void> {
  const own = encodeOtlp(new ProtobufEncoder(), exported);
  const stock = stockSerializers.ProtobufTraceSerializer.serializeRequest(exported);
  expect(decodeOtlp(own)).toEqual(decodeOtlp(Buffer.from(stock)));
}

describe('the tracer of the library', () => {
  it('does what the tracer of the SDK does: random programs', async () => {
    await fc.assert(
      fc.asyncProperty(programs, settings, async (program, setting) => {
        const own = runByLibrary(program, setting);
        const stock = runByStock(program, setting, own.spanContexts);
        expect(own.spanContexts.map(shown)).toEqual(stock.spanContexts.map(shown));
        expect(own.isRecording).toEqual(stock.isRecording);
        expect(own.log).toEqual(stock.log);
        expect(await messagesOf(own)).toEqual(await messagesOf(stock));
        await expectSameBytes(own);
      }),
      { numRuns: NUMBER_OF_PROGRAMS },
    );
  });

  it('does the same before the options are known: random programs', async () => {
    // The ids are others, so other traces are sampled.
    const withoutRatio = settings.filter(({ sampler: { type } }) => !type.endsWith('ratio'));
    await fc.assert(
      fc.asyncProperty(programs, withoutRatio, fc.nat(20), async (program, { changes, ...setting }, knownAt) => {
        // What a processor changes at the start comes after what the application has changed since.
        const settingWithout = { ...setting, changes: { ...changes, onStart: false } };
        const late = runByLibrary(program, settingWithout);
        const early = runEarly(program, settingWithout, knownAt);
        expect(early.isRecording).toEqual(late.isRecording);
        expect(early.spanContexts.map(decision)).toEqual(late.spanContexts.map(decision));
        expect(await comparableSpans(early)).toEqual(await comparableSpans(late));
      }),
      { numRuns: NUMBER_OF_PROGRAMS },
    );
  });
});

function decision({ traceFlags, traceState }: SpanContext): unknown[] {
  return [traceFlags, traceState?.serialize()];
}
