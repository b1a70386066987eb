import { describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { copyBaggageToSpans } from '../../../lib/sdk/baggage-attributes.js';
import { EarlyTracerProvider } from '../../../lib/sdk/early-spans.js';
import { withBaggage } from '../propagation/messages.js';

const exporter = new InMemorySpanExporter();
const provider = new TracerProvider({
  spanProcessors: [copyBaggageToSpans(['tenant.id', 'user']), new SimpleSpanProcessor({ exporter })],
});
const baggage = withBaggage([
  ['tenant.id', 'acme'],
  ['other', 'x'],
]);

function attributesOf(name: string) {
  return exporter.getFinishedSpans().find((span) => span.name === name)?.attributes;
}

describe('copyBaggageToSpans()', () => {
  const tracer = provider.getTracer('test');

  it.each([
    ['with baggage', {}, baggage, { 'tenant.id': 'acme' }],
    ['without baggage', {}, ROOT_CONTEXT, {}],
    ['that has the attribute', { 'tenant.id': 'mine' }, baggage, { 'tenant.id': 'mine' }],
    ['with an empty value', {}, withBaggage([['user', '']]), { user: '' }],
  ])('sets attributes of a span %s', (name, attributes, within, expected) => {
    tracer.startSpan(name, { attributes }, within).end();
    expect(attributesOf(name)).toEqual(expected);
  });

  it('sets attributes of an early span', () => {
    const early = new EarlyTracerProvider();
    early.startBuffering();
    early.getTracer('test').startSpan('early', {}, baggage).end();
    early.replayTo(provider);
    expect(attributesOf('early')).toEqual({ 'tenant.id': 'acme' });
  });

  it('can be flushed and shut down', async () => {
    const processor = copyBaggageToSpans([]);
    await expect(processor.forceFlush()).resolves.toBeUndefined();
    await expect(processor.shutdown()).resolves.toBeUndefined();
  });
});
