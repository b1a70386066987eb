/** The options of messages. */
import { describe, expect, it } from '@jest/globals';
import { Transport, type ClientProxy } from '@nestjs/microservices';
import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { MessagingOptions } from 'nestjs-tracing';
import { lastValueFrom } from 'rxjs';
import { freePort } from '../support/free-port.js';
import {
  answererOf,
  listenerTo,
  untilReceived,
  withMessagingApp,
  type MessagingApp,
  type TransportOptions,
} from '../support/messaging-app.js';

async function withOptions(
  messaging: MessagingOptions | boolean,
  test: (app: MessagingApp) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  const transport: TransportOptions = { transport: Transport.TCP, options: { host: '127.0.0.1', port } };
  const controllers = [answererOf('ask'), answererOf('health'), listenerTo('told')];
  await withMessagingApp(transport, { controllers, tracing: { messaging } }, test);
}

async function tell(client: ClientProxy): Promise<void> {
  const heard = untilReceived('heard');
  client.emit('told', 1);
  await heard;
}

const ofKind = (spans: readonly ReadableSpan[], kind: SpanKind) => spans.find((span) => span.kind === kind);

describe('the options of messages', () => {
  it('ignores a message on both sides, and what is traced below it', async () => {
    await withOptions({ ignore: 'health*' }, async ({ client, traces }) => {
      await lastValueFrom(client.send('health', 1));
      await lastValueFrom(client.send('ask', 1));
      await traces.until((all) => all.length === 3);
      expect(traces.spans.map(({ name }) => name)).not.toContain('health');
      expect(traces.open).toEqual([]);
    });
  });

  it('describes the message to the functions of the application', async () => {
    const seen: object[] = [];
    const ignore = (message: object) => {
      seen.push({ ...message });
      return true;
    };
    await withOptions({ ignore }, async ({ client, traces }) => {
      await lastValueFrom(client.send('ask', 1));
      await tell(client);
      expect(traces.spans).toEqual([]);
    });
    expect(seen).toMatchObject([
      { pattern: 'ask', transport: 'tcp', side: 'client', type: 'request' },
      { pattern: 'ask', transport: 'tcp', side: 'server', type: 'request' },
      { pattern: 'told', transport: 'tcp', side: 'client', type: 'event' },
      { pattern: 'told', transport: 'tcp', side: 'server', type: 'event' },
    ]);
  });

  it.each([
    ['false', false],
    [
      'a function that throws',
      () => {
        throw new Error('unsure');
      },
    ],
  ])('links a request to a sender that is not trusted: %s', async (_name, trustIncoming) => {
    await withOptions({ trustIncoming }, async ({ client, traces }) => {
      await expect(lastValueFrom(client.send('ask', 1))).resolves.toBe('1');
      await traces.until((all) => all.length === 3);
      const sent = ofKind(traces.spans, SpanKind.CLIENT);
      const served = ofKind(traces.spans, SpanKind.SERVER);
      expect(served?.parentSpanContext).toBeUndefined();
      expect(served?.links.map(({ context }) => context.spanId)).toEqual([sent?.spanContext().spanId]);
      expect(served?.spanContext().traceId).not.toBe(sent?.spanContext().traceId);
    });
  });

  it('places the handling of an event below its sender, if it is told to', async () => {
    await withOptions({ events: 'parent' }, async ({ client, traces }) => {
      await tell(client);
      await traces.until((all) => all.length === 3);
      const sent = ofKind(traces.spans, SpanKind.PRODUCER);
      const processed = ofKind(traces.spans, SpanKind.CONSUMER);
      expect(processed?.parentSpanContext?.spanId).toBe(sent?.spanContext().spanId);
      expect(processed?.links).toEqual([]);
    });
  });

  it('traces no message if it is told so', async () => {
    await withOptions(false, async ({ client, traces }) => {
      await expect(lastValueFrom(client.send('ask', 1))).resolves.toBe('1');
      await tell(client);
      expect(traces.spans).toEqual([]);
      expect(Object.getOwnPropertyNames(client)).not.toContain('send');
    });
  });
});
