import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Controller, Injectable, Logger, Module, type INestMicroservice } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  SpanStatusCode,
  type Attributes,
} from '@opentelemetry/api';
import { Span, TracingModule } from 'nestjs-tracing';
import { Registry } from 'prom-client';
import { lastValueFrom } from 'rxjs';
import type { Exchange } from '../../lib/core/exchange-operation.js';
import { IncomingOperation, type IncomingExchange } from '../../lib/core/incoming-operation.js';
import { INTEGRATIONS, type Integration } from '../../lib/core/integration.js';
import { interceptMethod } from '../../lib/core/intercept-method.js';
import type { OperationMeter, OperationMetrics } from '../../lib/core/operation-meter.js';
import type { Operation } from '../../lib/core/operation.js';
import { OutgoingOperation } from '../../lib/core/outgoing-operation.js';
import { isCallerTrusted, resolvePlacement } from '../../lib/core/span-placement.js';
import { integrations } from '../../lib/integrations.js';
import { freePort } from '../support/free-port.js';
import { TraceRecorder } from '../support/trace-recorder.js';
import { PigeonClient, PigeonServer, type Letter } from './apps/pigeon-transport.js';

// This is an integration for a transport that the library does not know, written as docs/adding-an-integration.md says.

type Reply = { readonly err?: unknown };

const errorAttributes = ({ err }: Reply): Attributes => (err === undefined ? {} : { 'error.type': '_OTHER' });

class ServedLetter implements IncomingExchange<Reply> {
  describeEnd(operation: Operation, reply: Reply): void {
    if (reply.err !== undefined) operation.span.setStatus({ code: SpanStatusCode.ERROR });
  }

  measuredAttributes(reply: Reply): Attributes {
    return errorAttributes(reply);
  }
}

class SentLetter implements Exchange<Reply> {
  describeEnd(operation: Operation, reply: Reply): void {
    operation.span.setAttributes(errorAttributes(reply));
  }

  measuredAttributes(reply: Reply): Attributes {
    return errorAttributes(reply);
  }
}

const pigeonMetrics: OperationMetrics = {
  duration: {
    name: 'pigeon.server.duration',
    description: 'Duration of letters that are served.',
    unit: 's',
    attributes: ['error.type'],
    buckets: [1],
  },
  active: { name: 'pigeon.server.active', description: 'Letters that are served.', unit: '{letter}', attributes: [] },
};

function tracePigeonServer(transport: unknown, meter: OperationMeter | undefined): void {
  if (!(transport instanceof PigeonServer)) return;
  interceptMethod(transport, 'deliver', async (deliver, thisArg, [letter, socket]) => {
    const { headers = {}, pattern } = letter as Letter;
    const isTrusted = isCallerTrusted('pigeon.trustIncoming', () => headers.from !== 'stranger', letter);
    const placement = resolvePlacement(ROOT_CONTEXT, headers, defaultTextMapGetter, isTrusted);
    const incoming = IncomingOperation.start(`deliver ${pattern}`, new ServedLetter(), { placement, meter });
    incoming.measure(() => ({}));
    const reply = (await incoming.run(() => Reflect.apply(deliver, thisArg, [letter, socket]))) as Reply;
    incoming.end(reply);
    return reply;
  });
}

function tracePigeonClients(modules: ModulesContainer): void {
  for (const { providers } of modules.values()) {
    for (const { instance } of providers.values()) if (instance instanceof PigeonClient) traceClient(instance);
  }
}

function traceClient(client: PigeonClient): void {
  interceptMethod(client, 'publish', (publish, thisArg, [packet, callback]) => {
    const { pattern } = packet as Letter;
    const outgoing = OutgoingOperation.start(`send ${pattern}`, new SentLetter(), { meter: undefined });
    const headers = {};
    outgoing.inject(headers, defaultTextMapSetter);
    const answer = (reply: Reply): void => {
      outgoing.end(reply);
      (callback as (reply: Reply) => void)(reply);
    };
    return outgoing.run(() => Reflect.apply(publish, thisArg, [{ ...(packet as Letter), headers }, answer]));
  });
}

const pigeonIntegration: Integration<unknown> = {
  name: 'pigeon',
  start(_options, { meter, modules }) {
    return {
      beforeTransport: (transport) => tracePigeonServer(transport, meter(pigeonMetrics)),
      providersReady: () => tracePigeonClients(modules),
    };
  },
};

// The code of the application does not refer to the integration either.

@Injectable()
class AddressBook {
  @Span()
  find(name: string): string {
    if (name === 'nobody') throw new Error('no such address');
    return `${name}'s roof`;
  }
}

@Controller()
class PostOffice {
  constructor(private readonly book: AddressBook) {}

  @MessagePattern('where')
  where(@Payload() name: string): string {
    return this.book.find(name);
  }
}

const registry = new Registry();
const recorder = new TraceRecorder();

@Module({
  imports: [
    TracingModule.forRoot({
      // The library traces the messages of any transport: here the integration does.
      messaging: false,
      serviceName: 'post',
      exporter: recorder,
      spanProcessors: [recorder],
      grpc: false,
      metrics: { path: false, registry, defaultMetrics: false },
    }),
  ],
  controllers: [PostOffice],
  providers: [AddressBook, { provide: PigeonClient, useFactory: () => new PigeonClient(port) }],
})
class PostModule {}

const broken: Integration<unknown> = {
  name: 'broken',
  start: () => ({
    providersReady() {
      throw new Error('broken hook');
    },
  }),
};

const unstartable: Integration<unknown> = {
  name: 'unstartable',
  start() {
    throw new Error('no start');
  },
};

let port: number;

describe('an integration for a transport that the library does not know', () => {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  let app: INestMicroservice;
  let client: PigeonClient;

  beforeAll(async () => {
    port = await freePort();
    const testing = await Test.createTestingModule({ imports: [PostModule] })
      .overrideProvider(INTEGRATIONS)
      .useValue([unstartable, broken, ...integrations, pigeonIntegration])
      .compile();
    app = testing.createNestMicroservice({ strategy: new PigeonServer(port), logger: false });
    await app.listen();
    client = app.get(PigeonClient);
    await client.connect();
  });

  afterEach(() => {
    recorder.spans = [];
  });
  afterAll(async () => {
    client.close();
    await app.close();
    warn.mockRestore();
  });

  const ask = (pattern: string, name: string) => lastValueFrom(client.send<string>(pattern, name));

  it('makes one trace of the client, the transport, the handler and its methods, in an application without HTTP and gRPC', async () => {
    expect(await ask('where', 'Ada')).toBe("Ada's roof");
    await recorder.expect({
      name: 'send where',
      kind: 'CLIENT',
      children: [
        {
          name: 'deliver where',
          kind: 'SERVER',
          children: [{ name: 'PostOffice.where', children: [{ name: 'AddressBook.find' }] }],
        },
      ],
    });
  });

  it('fails the spans that an exception passes, and records it once', async () => {
    await expect(ask('where', 'nobody')).rejects.toBeDefined();
    await recorder.expect({
      name: 'send where',
      kind: 'CLIENT',
      attributes: { 'error.type': '_OTHER' },
      children: [
        {
          name: 'deliver where',
          kind: 'SERVER',
          status: 'ERROR',
          children: [
            {
              name: 'PostOffice.where',
              status: expect.stringMatching(/^ERROR/),
              children: [
                {
                  name: 'AddressBook.find',
                  status: 'ERROR: no such address',
                  events: ['exception Error: no such address'],
                },
              ],
            },
          ],
        },
      ],
    });
  });

  it('follows a letter that has no handler', async () => {
    await expect(ask('elsewhere', 'Ada')).rejects.toBe('nobody lives there');
    const deliver = {
      name: 'deliver elsewhere',
      kind: 'SERVER' as const,
      status: 'ERROR',
    };
    const attributes = { 'error.type': '_OTHER' };
    await recorder.expect({ name: 'send elsewhere', kind: 'CLIENT', attributes, children: [deliver] });
  });

  it.each([
    ['below a caller', 'friend', 'b7ad6b7169203331', 0],
    ['linked to a caller that is not trusted', 'stranger', undefined, 1],
  ])('is %s', async (_name, from, parent, links) => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    client.write({ pattern: 'where', data: 'Ada', headers: { from, traceparent } });
    await recorder.until((spans) => spans.some(({ name }) => name === 'deliver where'));
    const served = recorder.named('deliver where');
    expect([served.parentSpanContext?.spanId, served.links.length]).toEqual([parent, links]);
  });

  it('measures every letter, with a trace as exemplar', async () => {
    await ask('where', 'Ada');
    const metrics = await registry.getMetricsAsJSON();
    const duration = metrics.find(({ name }) => name.startsWith('pigeon_server_duration'));
    const values = (duration as { values: { metricName?: string; value: number }[] } | undefined)?.values ?? [];
    const counts = values.filter(({ metricName }) => metricName?.endsWith('_count'));
    expect(counts.reduce((sum, { value }) => sum + value, 0)).toBeGreaterThanOrEqual(1);
  });

  it('works beside integrations that throw, which the application never sees', () => {
    const warnings = warn.mock.calls.map(([message]) => String(message));
    expect(warnings).toEqual([
      'Starting the integration unstartable threw and was ignored: Error: no start',
      'An integration threw and was ignored: Error: broken hook',
    ]);
  });
});
