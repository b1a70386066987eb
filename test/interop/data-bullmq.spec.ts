/** Jobs of BullMQ with a real Redis: producers, consumers, and the links between them. */
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  BullModule,
  getFlowProducerToken,
  getQueueToken,
  OnQueueEvent,
  Processor,
  QueueEventsHost,
  QueueEventsListener,
  WorkerHost,
} from '@nestjs/bullmq';
import { Inject, Injectable, Scope, type Type } from '@nestjs/common';
import { SpanKind, trace } from '@opentelemetry/api';
import { Queue, Worker, type FlowProducer, type Job, type JobsOptions } from 'bullmq';
import * as old from 'bullmq-5.21';
import { Redis } from 'ioredis';
import { Span, tracePool, type TracingOptions } from 'nestjs-tracing';
import { withDataApp, type DataApp } from '../support/data-app.js';
import { deferred } from '../support/deferred.js';
import { exportedText } from '../support/redis-spans.js';
import { Scrape } from '../support/scrape.js';
import type { Broker } from './support/brokers.js';
import { startRedis } from './support/databases.js';
import { idOf, linkedIds, processing, sending } from './support/job-spans.js';

let server: Broker;
let connection: { host: string; port: number };

beforeAll(async () => {
  server = await startRedis();
  connection = { host: '127.0.0.1', port: server.port };
}, 60_000);

afterAll(() => server.stop());

/** What the processor does with a job. */
let work: (job: Job) => unknown = () => undefined;
let queueName = '';
let count = 0;

beforeEach(() => {
  work = () => undefined;
  queueName = `orders${++count}`;
});

@Injectable()
class Steps {
  @Span('Steps.take')
  async take(job: Job): Promise<unknown> {
    return await work(job);
  }
}

interface Jobs extends DataApp {
  readonly queue: Queue;
  /** Adds a job in a request, and waits until there are so many spans of processing. */
  add(opts?: JobsOptions, processed?: number): Promise<void>;
}

async function withJobs(
  tracing: Omit<TracingOptions, 'exporter'>,
  use: (jobs: Jobs) => Promise<void>,
  scope = Scope.DEFAULT,
  providers: Type[] = [],
): Promise<void> {
  const name = queueName;
  @Processor({ name, scope })
  class OrdersProcessor extends WorkerHost {
    constructor(@Inject(Steps) private readonly steps: Steps) {
      super();
    }

    process(job: Job): Promise<unknown> {
      return this.steps.take(job);
    }
  }

  const imports = [
    BullModule.forRoot({ connection }),
    BullModule.registerQueue({ name }),
    BullModule.registerFlowProducer({ name: 'flow' }),
  ];
  await withDataApp({ tracing, imports, providers: [OrdersProcessor, Steps, ...providers] }, async (app) => {
    const queue = app.app.get<Queue>(getQueueToken(name));
    await use({
      ...app,
      queue,
      add: async (opts, processed = 1) => {
        await app.run(() => queue.add('ship', { card: 'secret-data' }, opts));
        await app.traces.until((spans) => processing(spans).length >= processed);
      },
    });
  });
}

describe('a job', () => {
  it('has a span of its producer, below its caller, and one of its consumer, with a link to it', async () => {
    await withJobs({}, async ({ add, traces }) => {
      await add();
      const { spans } = traces;
      const [send] = sending(spans);
      const [process] = processing(spans);
      const handler = traces.named('WorkController.work');
      expect(send!.name).toBe(`send ${queueName}`);
      expect(send!.parentSpanContext?.spanId).toBe(handler.spanContext().spanId);
      expect(send!.attributes).toMatchObject({
        'messaging.system': 'bullmq',
        'messaging.destination.name': queueName,
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.message.id': '1',
        'bullmq.job.name': 'ship',
      });
      expect(process!.name).toBe(`process ${queueName}`);
      expect(process!.parentSpanContext).toBeUndefined();
      expect(linkedIds(process!)).toEqual([send!.spanContext().spanId]);
      expect(process!.attributes).toMatchObject({
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.message.id': '1',
        'bullmq.job.attempts.made': 1,
      });
      expect(traces.named('Steps.take').parentSpanContext?.spanId).toBe(process!.spanContext().spanId);
    });
  });

  it('has no span of Redis, neither within its spans nor outside of them', async () => {
    await withJobs({ data: { rootSpans: true } }, async ({ add, queue, run, traces }) => {
      work = (job) => job.updateProgress(50);
      await add();
      await run(() => queue.getJobCounts());
      await run(() =>
        queue.addBulk([
          { name: 'ship', data: {} },
          { name: 'ship', data: {} },
        ]),
      );
      await traces.until((spans) => processing(spans).length === 3);
      const ofRedis = traces.spans.filter(({ attributes }) => attributes['db.system.name'] !== undefined);
      expect(ofRedis.map(({ attributes, name }) => [name, attributes['db.query.text']])).toEqual([]);
    });
  });

  it('continues the trace of its producer, if the application wants that', async () => {
    await withJobs({ data: { bullmq: { continueTrace: true } } }, async ({ add, traces }) => {
      await add();
      const [send] = sending(traces.spans);
      const [process] = processing(traces.spans);
      expect(process!.parentSpanContext?.spanId).toBe(send!.spanContext().spanId);
      expect(process!.spanContext().traceId).toBe(send!.spanContext().traceId);
      expect(process!.links).toEqual([]);
    });
  });

  it('that fails has the type of its error, and each attempt a link to the producer', async () => {
    await withJobs({}, async ({ add, traces }) => {
      work = (job) => {
        if (job.attemptsMade < 2) throw new TypeError('no such order');
      };
      await add({ attempts: 3, backoff: 1 }, 3);
      const [send] = sending(traces.spans);
      const attempts = processing(traces.spans);
      expect(attempts.map(({ status }) => status.code)).toEqual([2, 2, 0]);
      expect(attempts.map(({ attributes }) => attributes['error.type'])).toEqual(['TypeError', 'TypeError', undefined]);
      expect(attempts.map(linkedIds)).toEqual(attempts.map(() => [send!.spanContext().spanId]));
    });
  });

  it('that is delayed has a link to the producer', async () => {
    await withJobs({}, async ({ add, traces }) => {
      await add({ delay: 20 });
      expect(linkedIds(processing(traces.spans)[0]!)).toEqual([sending(traces.spans)[0]!.spanContext().spanId]);
    });
  });

  it('that waits for its children has a link to the flow, as they have, and runs after them', async () => {
    const order: string[] = [];
    work = (job) => order.push(job.name);
    await withJobs({}, async ({ app, queue, run, traces }) => {
      const flow = app.get<FlowProducer>(getFlowProducerToken('flow'));
      const child = (name: string) => ({ name, queueName: queue.name, data: {} });
      const given = { ...child('parent'), children: [child('one'), child('two')] };
      const before = structuredClone(given);
      await run(() => flow.add(given));
      expect(given).toEqual(before);
      await traces.until((spans) => processing(spans).length === 3);
      const [sent] = sending(traces.spans);
      for (const span of processing(traces.spans)) expect(linkedIds(span)).toEqual([sent!.spanContext().spanId]);
      expect(new Set(processing(traces.spans).map((span) => span.spanContext().traceId)).size).toBe(3);
      expect(order.at(-1)).toBe('parent');
    });
  });

  it('that exceeds the rate of its worker has one span, when it is processed', async () => {
    const name = queueName;
    await withDataApp({}, async ({ run, traces }) => {
      const queue = tracePool(new Queue(name, { connection }));
      const worker = tracePool(
        new Worker(name, () => Promise.resolve(), { connection, limiter: { max: 1, duration: 50 } }),
      );
      await run(() => queue.addBulk([1, 2, 3].map((data) => ({ name: 'ship', data }))));
      await traces.until((spans) => processing(spans).length >= 3);
      expect(processing(traces.spans).map(({ attributes }) => attributes['messaging.message.id'])).toEqual([
        '1',
        '2',
        '3',
      ]);
      await worker.close();
      await queue.close();
    });
  });

  it('of a scheduler has a link to the call that has created the scheduler, each time', async () => {
    await withJobs({}, async ({ queue, run, traces }) => {
      await run(() => queue.upsertJobScheduler('nightly', { every: 50, limit: 3 }, { name: 'ship' }));
      await traces.until((spans) => processing(spans).length >= 3);
      const [send, ...others] = sending(traces.spans);
      expect(others).toEqual([]);
      expect(send!.attributes['bullmq.job.scheduler.id']).toBe('nightly');
      const links = processing(traces.spans).map(linkedIds);
      expect(links).toEqual(links.map(() => [send!.spanContext().spanId]));
    });
  });

  it('exports neither data nor results nor options', async () => {
    await withJobs({}, async ({ add, traces }) => {
      work = async (job) => {
        await job.updateProgress({ card: 'secret-progress' });
        return 'secret-result';
      };
      await add({ deduplication: { id: 'secret-id' } });
      expect(exportedText(traces.spans)).not.toContain('secret-');
    });
  });

  it('of a processor of request scope has its span as well', async () => {
    await withJobs(
      {},
      async ({ add, traces }) => {
        await add();
        expect(traces.named('Steps.take').parentSpanContext?.spanId).toBe(
          processing(traces.spans)[0]!.spanContext().spanId,
        );
      },
      Scope.REQUEST,
    );
  });

  it('has the commands and jobs that its processor makes below its span', async () => {
    const client = new Redis(connection);
    await withJobs({}, async ({ add, queue, traces }) => {
      work = async (job) => {
        await client.get('mine:1');
        if (job.name === 'ship') await queue.add('notify', {});
      };
      await add({}, 2);
      const step = traces.spans.find(({ name }) => name === 'Steps.take')!;
      const below = traces.spans.filter(
        ({ parentSpanContext }) => parentSpanContext?.spanId === step.spanContext().spanId,
      );
      expect(below.map(({ name }) => name)).toEqual(['GET', `send ${queueName}`]);
    });
    await client.quit();
  });

  it('of a flow has a link to the span of the flow', async () => {
    await withJobs({}, async ({ app, run, traces }) => {
      const flow = app.get<FlowProducer>(getFlowProducerToken('flow'));
      const child = { name: 'child', queueName, data: {}, opts: { attempts: 1 } };
      await run(() => flow.add({ name: 'parent', queueName, opts: { attempts: 1 }, children: [child] }));
      await traces.until((spans) => processing(spans).length === 2);
      const [send, ...others] = sending(traces.spans);
      expect([send!.name, others]).toEqual([`send ${queueName}`, []]);
      expect(processing(traces.spans).map(linkedIds)).toEqual([
        [send!.spanContext().spanId],
        [send!.spanContext().spanId],
      ]);
    });
  });

  it('that is added outside of any span has no span of its producer, and one of its consumer', async () => {
    await withJobs({}, async ({ queue, traces }) => {
      await queue.add('ship', {});
      await traces.until((spans) => processing(spans).length === 1);
      expect(sending(traces.spans)).toEqual([]);
      expect(processing(traces.spans)[0]!.links).toEqual([]);
    });
  });

  it('is not traced, if the application does not want that', async () => {
    for (const data of [{ bullmq: false, redis: false }, { bullmq: { ignore: ['send', 'process'] } }] as const) {
      await withJobs({ data }, async ({ queue, run, traces }) => {
        const done = new Promise((resolve) => (work = resolve));
        await run(() => queue.add('ship', {}));
        await done;
        await run(() => Promise.resolve());
        expect([sending(traces.spans), processing(traces.spans)]).toEqual([[], []]);
      });
    }
  });

  it('that the application takes by itself has a span of the call, with a link to the producer', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      const queue = tracePool(new Queue(queueName, { connection }));
      const worker = tracePool(new Worker(queueName, null, { connection }));
      await run(() => queue.add('ship', {}));
      const job = await run(() => worker.getNextJob('token'));
      expect(job).toMatchObject({ name: 'ship' });
      await job.moveToCompleted('done', 'token', false);
      expect(await run(() => worker.getNextJob('token', { block: false }))).toBeUndefined();
      await traces.until((spans) => spans.length === 8);
      const receive = traces.spans.filter(({ name }) => name === `receive ${queueName}`);
      expect(receive).toHaveLength(1);
      expect(receive[0]).toMatchObject({
        kind: SpanKind.CLIENT,
        attributes: {
          'messaging.system': 'bullmq',
          'messaging.destination.name': queueName,
          'messaging.operation.name': 'receive',
          'messaging.operation.type': 'receive',
          'messaging.message.id': '1',
          'bullmq.job.name': 'ship',
        },
      });
      expect(receive[0]!.parentSpanContext).toBeDefined();
      expect(linkedIds(receive[0]!)).toEqual([idOf(sending(traces.spans)[0])]);
      await worker.close();
      await queue.close();
    });
  });

  it('that stalls has a span for each worker, with a link to the producer, and ends the first when its processor does', async () => {
    const hang = deferred();
    await withDataApp({}, async ({ run, traces }) => {
      const options = { connection, lockDuration: 200, stalledInterval: 100, maxStalledCount: 3 };
      const queue = tracePool(new Queue(queueName, { connection }));
      // Its lock is not renewed, as if its process was gone.
      const first = tracePool(new Worker(queueName, () => hang.promise, { ...options, skipLockRenewal: true }));
      first.on('error', () => {});
      await run(() => queue.add('ship', {}));
      await traces.untilOpen(1);
      const second = tracePool(new Worker(queueName, () => Promise.resolve(), options));
      await traces.until((spans) => processing(spans).length === 1);
      hang.resolve();
      await traces.until((spans) => processing(spans).length === 2);
      const sent = idOf(sending(traces.spans)[0]);
      expect(processing(traces.spans).map(linkedIds)).toEqual([[sent], [sent]]);
      await Promise.all([first.close(true), second.close()]);
      await queue.close();
    });
  });

  it('of a worker with concurrency has only its own work below its span', async () => {
    const client = new Redis(connection);
    await withDataApp({ providers: [Steps] }, async ({ app, run, traces }) => {
      const steps = app.get(Steps);
      const gate = deferred();
      let waiting = 0;
      work = async (job) => {
        if (++waiting === 5) gate.resolve();
        await gate.promise;
        await client.get(`mine:${job.id}`);
      };
      const queue = tracePool(new Queue(queueName, { connection }));
      const worker = tracePool(new Worker(queueName, (job) => steps.take(job), { connection, concurrency: 5 }));
      await run(() => queue.addBulk([1, 2, 3, 4, 5].map((data) => ({ name: 'ship', data }))));
      await traces.until((spans) => processing(spans).length === 5);
      for (const process of processing(traces.spans)) {
        const ofTrace = traces.spans.filter((span) => span.spanContext().traceId === process.spanContext().traceId);
        expect(ofTrace.map(({ name }) => name).toSorted()).toEqual(['GET', 'Steps.take', `process ${queueName}`]);
      }
      await worker.close();
      await queue.close();
    });
    await client.quit();
  });

  it('that is returned to its queue by retryJobs() was not sent again, and keeps its link', async () => {
    await withJobs({}, async ({ add, queue, run, traces }) => {
      let attempts = 0;
      work = () => {
        if (++attempts === 1) throw new RangeError('not yet');
      };
      await add();
      await run(() => queue.retryJobs({ state: 'failed' }));
      await traces.until((spans) => processing(spans).length === 2);
      const [sent, ...others] = sending(traces.spans);
      expect(others).toEqual([]);
      expect(processing(traces.spans).map(linkedIds)).toEqual([[idOf(sent)], [idOf(sent)]]);
    });
  });

  it('is told to listeners of QueueEvents outside of any span, and their commands are traced', async () => {
    const client = new Redis(connection);
    // It may begin to listen after the job.
    @QueueEventsListener(queueName, { lastEventId: '0' })
    class Listener extends QueueEventsHost {
      @OnQueueEvent('completed')
      async completed(): Promise<void> {
        seen.resolve(trace.getActiveSpan());
        await client.get('mine:1');
      }
    }
    const seen = deferred<unknown>();
    await withJobs(
      { data: { rootSpans: true } },
      async ({ add, traces }) => {
        await add();
        expect(await seen.promise).toBeUndefined();
        await traces.until((spans) => spans.some(({ name }) => name === 'GET'));
        const ofRedis = traces.spans.filter(({ attributes }) => attributes['db.system.name'] !== undefined);
        expect(ofRedis.map(({ name }) => name)).toEqual(['GET']);
      },
      Scope.DEFAULT,
      [Listener],
    );
    await client.quit();
  });

  it('is measured', async () => {
    await withJobs({ metrics: {} }, async ({ add, url }) => {
      const active: (number | undefined)[] = [];
      const count = (scrape: Scrape) => active.push(scrape.value('nestjs_queue_active_jobs'));
      work = async () => {
        count(await Scrape.of(`${url}/metrics`));
        throw new RangeError('x');
      };
      await add();
      const name = 'messaging_process_duration_seconds';
      const scrape = await Scrape.counted(`${url}/metrics`, name, 1);
      count(scrape);
      expect(active).toEqual([1, 0]);
      expect(scrape.labels(`${name}_count`)).toEqual([
        {
          error_type: 'RangeError',
          messaging_system: 'bullmq',
          messaging_destination_name: queueName,
          messaging_operation_name: 'process',
        },
      ]);
    });
  });
});

describe('a queue and a worker', () => {
  it('that are no providers are traced by tracePool()', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      const queue = tracePool(new Queue(queueName, { connection }));
      const worker = tracePool(new Worker(queueName, () => Promise.resolve(), { connection }));
      await run(() => queue.add('ship', {}));
      await traces.until((spans) => processing(spans).length === 1);
      expect(linkedIds(processing(traces.spans)[0]!)).toEqual([sending(traces.spans)[0]!.spanContext().spanId]);
      await worker.close();
      await queue.close();
    });
  });

  it('that a provider creates as its properties are traced, and the data arrive byte for byte', async () => {
    const name = queueName;
    @Injectable()
    class Shipping {
      readonly queue = new Queue(name, { connection });
      readonly worker = new Worker(name, (job: Job) => this.steps.take(job), { connection, autorun: false });
      constructor(@Inject(Steps) private readonly steps: Steps) {}
    }
    const redis = new Redis(connection);
    const data = { text: 'ä\u0000"', list: [1, null], traceparent: 'mine' };
    await withDataApp({ providers: [Shipping, Steps] }, async ({ app, run, traces }) => {
      const { queue, worker } = app.get(Shipping);
      const jobs = await run(() =>
        queue.addBulk([
          { name: 'ship', data, opts: { attempts: 2 } },
          { name: 'other', data: 'text' },
        ]),
      );
      expect(await redis.hget(`bull:${name}:${jobs[0]!.id}`, 'data')).toBe(JSON.stringify(data));
      expect(await redis.hget(`bull:${name}:${jobs[1]!.id}`, 'data')).toBe('"text"');
      void worker.run();
      await traces.until((spans) => processing(spans).length === 2);
      const [sent] = sending(traces.spans);
      expect(sending(traces.spans)).toHaveLength(1);
      for (const span of processing(traces.spans)) expect(linkedIds(span)).toEqual([sent!.spanContext().spanId]);
      expect(traces.spans.filter((span) => span.name === 'Steps.take')).toHaveLength(2);
      await worker.close();
      await queue.close();
    });
    redis.disconnect();
  });

  it('keep the telemetry of the application', async () => {
    const calls: string[] = [];
    const span = {
      setSpanOnContext: (it: unknown) => it,
      setAttribute: () => {},
      setAttributes: () => {},
      addEvent: () => {},
      recordException: () => {},
      end: () => {},
    };
    const telemetry = {
      tracer: {
        startSpan: (name: string) => {
          calls.push(name);
          return span;
        },
      },
      contextManager: {
        with: (_: unknown, fn: () => unknown) => fn(),
        active: () => ({}),
        getMetadata: () => '',
        fromMetadata: (it: unknown) => it,
      },
    };
    const queue = new Queue(queueName, { connection, telemetry: telemetry as never });
    await withDataApp({ providers: [{ provide: 'QUEUE', useFactory: () => queue }] }, async ({ run, traces }) => {
      await run(() => queue.add('ship', {}));
      expect(sending(traces.spans)).toEqual([]);
    });
    expect(calls).toContain(`add ${queueName}.ship`);
    await queue.close();
  });

  it('have a span for the job of a sandboxed processor', async () => {
    const processor = join(import.meta.dirname, 'processors/sandboxed.cjs');
    await withDataApp({}, async ({ run, traces }) => {
      const queue = tracePool(new Queue(queueName, { connection }));
      const worker = tracePool(new Worker(queueName, processor, { connection }));
      await run(() => queue.add('ship', {}));
      await run(() => queue.add('ship', { fails: true }));
      await traces.until((spans) => processing(spans).length === 2);
      expect(processing(traces.spans).map(({ status }) => status.code)).toEqual([0, 2]);
      expect(processing(traces.spans).map(linkedIds)).toEqual(
        sending(traces.spans).map((send) => [send.spanContext().spanId]),
      );
      await worker.close();
      await queue.close();
    });
  });

  it('are as they were after the application has shut down', async () => {
    const queue = new Queue(queueName, { connection });
    const before = Reflect.ownKeys(queue.opts);
    await withDataApp({ providers: [{ provide: 'QUEUE', useFactory: () => queue }] }, async () => {
      expect(queue.opts.telemetry).toBeDefined();
      await Promise.resolve();
    });
    expect(Reflect.ownKeys(queue.opts)).toEqual(before);
    await queue.close();
  });
});

/** The last version without an interface for telemetry. */
describe('BullMQ 5.21', () => {
  it('has a span for each call that adds jobs, and one for each job, with a link to the call', async () => {
    const work = { calls: 0 };
    const seen: unknown[] = [];
    const opts = Object.freeze({ attempts: 2, backoff: 1 });
    await withDataApp({ providers: [Steps] }, async ({ run, traces }) => {
      const queue = tracePool(new old.Queue(queueName, { connection }));
      const worker = tracePool(
        new old.Worker(
          queueName,
          async (job) => {
            seen.push(Object.keys(job.opts));
            if (job.name === 'again' && ++work.calls === 1) throw new RangeError('not yet');
          },
          { connection },
        ),
      );
      const job = await run(() => queue.add('again', { card: 'secret-data' }, opts));
      const jobs = await run(() =>
        queue.addBulk([
          { name: 'one', data: {} },
          { name: 'two', data: {}, opts },
        ]),
      );
      await traces.until((spans) => processing(spans).length === 4);
      expect([job, ...jobs].map((each) => Object.hasOwn(each.opts, 'telemetry'))).toEqual([false, false, false]);
      expect(seen.flat()).not.toContain('telemetry');
      const [added, addedBulk, ...others] = sending(traces.spans);
      expect(others).toEqual([]);
      expect(added!.attributes).toMatchObject({ 'messaging.message.id': '1', 'bullmq.job.name': 'again' });
      expect(addedBulk!.attributes).toMatchObject({ 'messaging.batch.message_count': 2 });
      const links = (name: string) =>
        processing(traces.spans)
          .filter(({ attributes }) => attributes['bullmq.job.name'] === name)
          .map(linkedIds);
      expect(links('again')).toEqual([[idOf(added)], [idOf(added)]]);
      expect([...links('one'), ...links('two')]).toEqual([[idOf(addedBulk)], [idOf(addedBulk)]]);
      expect(exportedText(traces.spans)).not.toContain('secret-');
      expect(traces.spans.filter(({ attributes }) => attributes['db.system.name'] !== undefined)).toEqual([]);
      await worker.close();
      await queue.close();
    });
  });

  it('links the jobs of flows and of repetitions, and is as it was after the application has shut down', async () => {
    const queue = new old.Queue(queueName, { connection });
    const flow = new old.FlowProducer({ connection });
    const worker = new old.Worker(queueName, () => Promise.resolve(), { connection });
    const names = ['add', 'addBulk', 'upsertJobScheduler', 'callProcessJob', 'emit', 'getNextJob', 'telemetry'];
    const changed = () => [queue, flow, worker].flatMap((each) => names.filter((name) => Object.hasOwn(each, name)));
    const providers = [queue, flow, worker].map((each) => ({ provide: each.constructor.name, useValue: each }));
    await withDataApp({ providers }, async ({ run, traces }) => {
      expect(changed()).not.toEqual([]);
      const child = (name: string) => ({ name, queueName, data: {} });
      const given = { ...child('parent'), children: [child('one'), child('two')] };
      const copy = structuredClone(given);
      const added = await run(() => flow.add(given));
      expect(given).toEqual(copy);
      expect(Object.keys(added.job.opts)).not.toContain('telemetry');
      await traces.until((spans) => processing(spans).length === 3);
      const [sent] = sending(traces.spans);
      expect(processing(traces.spans).map(linkedIds)).toEqual([[idOf(sent)], [idOf(sent)], [idOf(sent)]]);
      expect(sent!.attributes).toMatchObject({ 'messaging.batch.message_count': 3 });
      traces.take();
      await run(() => queue.add('again', {}, { repeat: { every: 50, limit: 3 } }));
      await traces.until((spans) => processing(spans).length === 3);
      const [repeated, ...others] = sending(traces.spans);
      expect(others).toEqual([]);
      const links = processing(traces.spans).map(linkedIds);
      expect(links).toEqual([[idOf(repeated)], [idOf(repeated)], [idOf(repeated)]]);
      traces.take();
      await run(() => queue.upsertJobScheduler('scheduler', { every: 50, limit: 2 }));
      await traces.until((spans) => processing(spans).length === 2);
      const [scheduled] = sending(traces.spans);
      expect(processing(traces.spans).map(linkedIds)).toEqual([[idOf(scheduled)], [idOf(scheduled)]]);
    });
    expect(changed()).toEqual([]);
    await Promise.all([worker.close(), queue.close(), flow.close()]);
  });

  it('is linked to a worker of a later version, and the other way round', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      const versions = [{ Queue, Worker } as unknown as typeof old, old] as const;
      for (const [from, to] of [versions, versions.toReversed() as [typeof old, typeof old]]) {
        const queue = tracePool(new from.Queue(queueName, { connection }));
        await run(() => queue.add('ship', {}));
        const worker = tracePool(new to.Worker(queueName, () => Promise.resolve(), { connection }));
        await traces.until((spans) => processing(spans).length === 1);
        expect(processing(traces.spans).map(linkedIds)).toEqual([[idOf(sending(traces.spans)[0])]]);
        await worker.close();
        await queue.close();
        traces.take();
      }
    });
  });
});
