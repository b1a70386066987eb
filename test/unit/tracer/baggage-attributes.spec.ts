import { describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { copyBaggageToSpans } from '../../../lib/tracer/baggage-attributes.js';
import { LibraryTracerProvider } from '../../../lib/tracer/tracer-provider.js';
import { createPipeline, KeptSpans } from '../../support/pipeline.js';
import { withBaggage } from '../propagation/messages.js';

const kept = new KeptSpans();
const pipeline = createPipeline([copyBaggageToSpans(['tenant.id', 'user']), kept]);
const provider = new LibraryTracerProvider();
provider.use(pipeline, undefined);
const baggage = withBaggage([
  ['tenant.id', 'acme'],
  ['other', 'x'],
]);

function attributesOf(name: string) {
  return kept.spans.find((span) => span.name === name)?.attributes;
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
    const starting = new LibraryTracerProvider();
    starting.startBuffering();
    starting.getTracer('test').startSpan('early', {}, baggage).end();
    starting.use(pipeline, undefined);
    expect(attributesOf('early')).toEqual({ 'tenant.id': 'acme' });
  });

  it('can be flushed and shut down', async () => {
    const processor = copyBaggageToSpans([]);
    await expect(processor.forceFlush()).resolves.toBeUndefined();
    await expect(processor.shutdown()).resolves.toBeUndefined();
  });
});
