/** A broker that goes away while requests are under way, and comes back. */
import { describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { MessagePattern, Transport } from '@nestjs/microservices';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { catchError, firstValueFrom, of, timeout } from 'rxjs';
import { withMessagingApp, type TransportOptions } from '../support/messaging-app.js';
import { waitFor } from '../support/wait-for.js';
import { startMosquitto, startNats, startRabbitmq, type Broker } from './support/brokers.js';
import { startRedis } from './support/databases.js';

@Controller()
class SlowController {
  @MessagePattern('slow')
  async slow(): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return 'done';
  }

  @MessagePattern('ask')
  ask(): string {
    return 'answer';
  }
}

const isAnswer = (outcome: unknown) => outcome === 'answer';
const isEmpty = (list: readonly unknown[]) => list.length === 0;

interface Case {
  readonly start: () => Promise<Broker>;
  readonly options: (port: number) => TransportOptions;
}

const CASES: Record<string, Case> = {
  Redis: {
    start: startRedis,
    options: (port) => ({
      transport: Transport.REDIS,
      options: {
        host: '127.0.0.1',
        port,
        retryAttempts: 1000,
        retryDelay: 50,
        // Nest does not handle the errors of commands that ioredis gives up.
        maxRetriesPerRequest: null,
      },
    }),
  },
  NATS: {
    start: startNats,
    options: (port) => ({
      transport: Transport.NATS,
      options: { servers: [`nats://127.0.0.1:${port}`], reconnectTimeWait: 50, maxReconnectAttempts: -1 },
    }),
  },
  RabbitMQ: {
    start: startRabbitmq,
    options: (port) => ({
      transport: Transport.RMQ,
      options: {
        urls: [`amqp://127.0.0.1:${port}`],
        queue: 'restarts',
        queueOptions: { durable: false },
        socketOptions: { reconnectTimeInSeconds: 1 },
      },
    }),
  },
  MQTT: {
    start: startMosquitto,
    options: (port) => ({
      transport: Transport.MQTT,
      options: { url: `mqtt://127.0.0.1:${port}`, protocolVersion: 5, reconnectPeriod: 50 },
    }),
  },
};

describe.each(Object.entries(CASES))('%s that goes away and comes back', (_name, { start, options }) => {
  it('ends every span of a request, and traces those that follow', async () => {
    const broker = await start();
    try {
      await withMessagingApp(options(broker.port), { controllers: [SlowController] }, async ({ client, traces }) => {
        const ask = (pattern: string, limit: number) =>
          firstValueFrom(
            client.send<unknown>(pattern, 1).pipe(
              timeout(limit),
              catchError((error: unknown) => of(error instanceof Error ? error : new Error(String(error)))),
            ),
          );
        await expect(ask('ask', 5000)).resolves.toBe('answer');
        await traces.until((all) => all.length === 3);
        traces.take();

        const requests = Array.from({ length: 50 }, () => ask('slow', 2000));
        await traces.until(() => traces.open.filter((name) => name === 'SlowController.slow').length === 50);
        await broker.kill();
        const outcomes = await Promise.all([...requests, ask('slow', 500)]);
        expect(outcomes.filter((outcome) => !(outcome instanceof Error))).toEqual([]);
        const emitted = await firstValueFrom(
          client.emit<unknown>('gone', 1).pipe(
            timeout(500),
            catchError((error: unknown) => of(error)),
          ),
        ).catch((error: unknown) => error);
        expect(emitted).toBeDefined();
        const isOfClient = ({ kind }: { kind: SpanKind }) => kind === SpanKind.CLIENT;
        await traces.until((all) => all.filter(isOfClient).length === 51);
        const clientSpans = traces.spans.filter(isOfClient);
        expect(clientSpans.filter(({ status }) => status.code !== SpanStatusCode.ERROR)).toEqual([]);

        await broker.start();
        await waitFor({ expected: 'an answer', look: () => ask('ask', 300), isExpected: isAnswer, patience: 30_000 });
        await waitFor({ expected: 'no open span', look: () => traces.open, isExpected: isEmpty, patience: 10_000 });
        traces.take();
        await expect(ask('ask', 5000)).resolves.toBe('answer');
        await traces.until((all) => all.length === 3);
        expect(new Set(traces.spans.map((span) => span.spanContext().traceId)).size).toBe(1);
        expect(traces.open).toEqual([]);
      });
    } finally {
      await broker.stop();
    }
  }, 120_000);
});
