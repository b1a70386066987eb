/** Jobs of Bull with a real Redis: producers, consumers, and the links between them. */
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BullModule, getQueueToken, OnQueueFailed, Process, Processor } from '@nestjs/bull';
import { Inject, Injectable, Scope, type Type } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import Bull, { type Job, type JobOptions, type Queue, type QueueOptions } from 'bull';
import { Redis } from 'ioredis';
import { NoSpan, Span, type TracingOptions } from 'nestjs-tracing';
import { withDataApp, type DataApp } from '../support/data-app.js';
import { exportedText } from '../support/redis-spans.js';
import { Scrape } from '../support/scrape.js';
import { deferred } from '../support/deferred.js';
import type { Broker } from './support/brokers.js';
import { startRedis } from './support/databases.js';
import { idOf, linkedIds, processing, sending } from './support/job-spans.js';

const SANDBOXED = join(import.meta.dirname, 'processors/sandboxed.cjs');

let server: Broker;
let redis: { host: string; port: number };

beforeAll(async () => {
  server = await startRedis();
  redis = { host: '127.0.0.1', port: server.port };
}, 60_000);

afterAll(() => server.stop());

/** Closes what a test has opened, also if the test fails. */
const closers: (() => unknown)[] = [];

function openClient(): Redis {
  const client = new Redis(redis);
  closers.push(() => client.disconnect());
  return client;
}

function openQueue(options: QueueOptions = {}): Queue {
  const queue = new Bull(queueName, { redis, ...options });
  closers.push(() => queue.close(true));
  return queue;
}

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** What the processor does with a job. */
let work: (job: Job) => unknown = () => undefined;
/** The jobs that have failed, as a listener of the application has got them. */
let failed: { job: Job; error: Error; activeSpan: string | undefined }[] = [];
let queueName = '';
let count = 0;

beforeEach(() => {
  work = () => undefined;
  failed = [];
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
  add(opts?: JobOptions, processed?: number): Promise<Job>;
}

interface JobsSetUp {
  readonly tracing?: Omit<TracingOptions, 'exporter'> | false;
  readonly scope?: Scope;
  readonly queue?: QueueOptions & { processors?: string[] };
}

function processorOf(name: string, scope: Scope): Type {
  @Processor({ name, scope })
  class OrdersProcessor {
    constructor(@Inject(Steps) private readonly steps: Steps) {}

    @Process('ship')
    ship(job: Job): Promise<unknown> {
      return this.steps.take(job);
    }

    @Process()
    other(job: Job): Promise<unknown> {
      return this.steps.take(job);
    }

    @Process('callback')
    callback(_job: Job, done: (error: Error) => void): void {
      done(new RangeError('called back'));
    }

    @OnQueueFailed()
    onFailed(job: Job, error: Error): void {
      failed.push({ job, error, activeSpan: trace.getActiveSpan()?.spanContext().spanId });
    }
  }
  return OrdersProcessor;
}

async function withJobs(
  { queue: options, scope = Scope.DEFAULT, tracing = {} }: JobsSetUp,
  use: (jobs: Jobs) => Promise<void>,
): Promise<void> {
  const name = queueName;
  const imports = [BullModule.forRoot({ redis }), BullModule.registerQueue({ name, ...options })];
  const providers = [...(options?.processors ? [] : [processorOf(name, scope)]), Steps];
  await withDataApp({ tracing, imports, providers }, async (app) => {
    const queue = app.app.get<Queue>(getQueueToken(name));
    await use({
      ...app,
      queue,
      add: async (opts, processed = 1) => {
        const job = await app.run(() => queue.add('ship', { card: 'secret-data' }, opts));
        await app.traces.until((spans) => processing(spans).length >= processed);
        return job;
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
      expect(send!.name).toBe(`send ${queueName}`);
      expect(send!.parentSpanContext?.spanId).toBe(idOf(traces.named('WorkController.work')));
      expect(send!.attributes).toEqual({
        'messaging.system': 'bull',
        'messaging.destination.name': queueName,
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.message.id': '1',
        'bull.job.name': 'ship',
      });
      expect(process!.name).toBe(`process ${queueName}`);
      expect(process!.parentSpanContext).toBeUndefined();
      expect(linkedIds(process!)).toEqual([idOf(send)]);
      expect(process!.attributes).toEqual({
        'messaging.system': 'bull',
        'messaging.destination.name': queueName,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.message.id': '1',
        'bull.job.name': 'ship',
        'bull.job.attempts.made': 1,
      });
      expect(traces.named('Steps.take').parentSpanContext?.spanId).toBe(idOf(process));
    });
  });

  it('arrives as it was added, with its data and its options, and its producer gets it back so', async () => {
    const looks: unknown[] = [];
    for (const tracing of [false, {}] as const) {
      queueName += 'x';
      await withJobs({ tracing }, async ({ queue, run }) => {
        const seen = deferred<unknown>();
        work = (job) => seen.resolve([job.data, { ...job.opts, timestamp: 0 }, Object.keys(job)]);
        const opts = Object.freeze({ attempts: 2, timestamp: 0 });
        const job = await run(() => queue.add('ship', { order: { id: 7 } }, opts));
        looks.push([await seen.promise, job.data, job.opts, Object.keys(job)]);
      });
    }
    expect(looks[1]).toEqual(looks[0]);
  });

  it('has no name if the application gives none', async () => {
    await withJobs({}, async ({ queue, run, traces }) => {
      await run(() => queue.add({ order: 7 }));
      await run(() => queue.add({ order: 8 }, { attempts: 2 }));
      await traces.until((spans) => processing(spans).length === 2);
      const [first, second] = processing(traces.spans);
      expect([first!.attributes['bull.job.name'], first!.links.length, second!.links.length]).toEqual([
        undefined,
        1,
        1,
      ]);
    });
  });

  it('has no span of Redis, neither within its spans nor outside of them', async () => {
    await withJobs({ tracing: { data: { rootSpans: true } } }, async ({ add, queue, run, traces }) => {
      work = async (job) => {
        await job.progress(50);
        if (job.attemptsMade === 0) throw new Error('try again');
      };
      await add({ attempts: 2 }, 2);
      await run(() => queue.addBulk([{ data: {} }, { data: {} }]));
      await traces.until((spans) => processing(spans).length === 4);
      const ofRedis = traces.spans.filter(({ attributes }) => attributes['db.system.name'] !== undefined);
      expect(ofRedis.map(({ attributes, name }) => [name, attributes['db.query.text']])).toEqual([]);
    });
  });

  it('continues the trace of its producer, if the application wants that', async () => {
    await withJobs({ tracing: { jobs: { bull: { continueTrace: true } } } }, async ({ add, traces }) => {
      await add();
      const [send] = sending(traces.spans);
      const [process] = processing(traces.spans);
      expect(process!.parentSpanContext?.spanId).toBe(idOf(send));
      expect(process!.spanContext().traceId).toBe(send!.spanContext().traceId);
      expect(process!.links).toEqual([]);
    });
  });

  it('that fails has its exception, and each attempt a link to the producer', async () => {
    await withJobs({}, async ({ add, traces }) => {
      const error = new TypeError('no such order');
      work = (job) => {
        if (job.attemptsMade < 2) throw error;
      };
      await add({ attempts: 3, backoff: 1 }, 3);
      const [send] = sending(traces.spans);
      const attempts = processing(traces.spans);
      expect(attempts.map(({ status }) => status.code)).toEqual([2, 2, 0]);
      expect(attempts.map(({ attributes }) => attributes['error.type'])).toEqual(['TypeError', 'TypeError', undefined]);
      expect(attempts.map(({ attributes }) => attributes['bull.job.attempts.made'])).toEqual([1, 2, 3]);
      expect(attempts.map(linkedIds)).toEqual(attempts.map(() => [idOf(send)]));
      // The listeners of the application get the same error, in the context of the job.
      expect(failed.map((each) => each.error)).toEqual([error, error]);
      expect(failed[0]!.error).toBe(error);
      expect(failed[0]!.activeSpan).toBe(idOf(attempts[0]));
    });
  });

  it.each<[string, JobOptions, (job: Job) => unknown, string]>([
    ['because it takes too long', { timeout: 10 }, () => new Promise(() => {}), 'TimeoutError'],
    ['because its result cannot be stored', {}, () => 1n, 'TypeError'],
  ])('that fails in Bull, %s, has that error', async (_, opts, fail, type) => {
    await withJobs({}, async ({ add, queue, traces }) => {
      work = fail;
      await add(opts);
      const [process] = processing(traces.spans);
      expect([process!.status.code, process!.attributes['error.type']]).toEqual([2, type]);
      await queue.close(true);
    });
  });

  it('of a processor with a callback has its error', async () => {
    await withJobs({}, async ({ queue, run, traces }) => {
      await run(() => queue.add('callback', {}));
      await traces.until((spans) => processing(spans).length === 1);
      expect(processing(traces.spans)[0]!.status).toEqual({ code: 2, message: 'called back' });
    });
  });

  it('that is delayed has a link to the producer', async () => {
    await withJobs({}, async ({ add, traces }) => {
      await add({ delay: 20 });
      expect(linkedIds(processing(traces.spans)[0]!)).toEqual([idOf(sending(traces.spans)[0])]);
    });
  });

  it('that repeats has a link to the call that has added it, each time', async () => {
    await withJobs({}, async ({ add, queue, traces }) => {
      await add({ repeat: { every: 50, limit: 3 } }, 3);
      const [send, ...others] = sending(traces.spans);
      expect(others).toEqual([]);
      const links = processing(traces.spans).map(linkedIds);
      expect(links).toEqual([[idOf(send)], [idOf(send)], [idOf(send)]]);
      expect(await queue.getRepeatableJobs()).toHaveLength(1);
    });
  });

  it('of several that are added at once has a link to the one call', async () => {
    await withJobs({}, async ({ queue, run, traces }) => {
      const jobs = [
        { name: 'ship', data: { id: 1 } },
        { name: 'ship', data: { id: 2 }, opts: { attempts: 2 } },
      ];
      const before = structuredClone(jobs);
      const added = await run(() => queue.addBulk(jobs));
      expect(jobs).toEqual(before);
      expect(added.map(({ opts }) => Object.hasOwn(opts, 'telemetry'))).toEqual([false, false]);
      await traces.until((spans) => processing(spans).length === 2);
      const [send, ...others] = sending(traces.spans);
      expect(others).toEqual([]);
      expect(send!.attributes).toMatchObject({ 'messaging.batch.message_count': 2 });
      expect(processing(traces.spans).map(linkedIds)).toEqual([[idOf(send)], [idOf(send)]]);
    });
  });

  it('that the application reads and adds again has a link to the second call', async () => {
    await withJobs({}, async ({ add, queue, run, traces }) => {
      const { id } = await add();
      const read = await queue.getJob(id);
      await run(() => queue.add('ship', read!.data, { ...read!.opts, jobId: 'again' }));
      await traces.until((spans) => processing(spans).length === 2);
      const [, second] = sending(traces.spans);
      expect(linkedIds(processing(traces.spans)[1]!)).toEqual([idOf(second)]);
    });
  });

  it('exports neither data nor results nor options', async () => {
    await withJobs({}, async ({ add, traces }) => {
      work = async (job) => {
        await job.progress({ card: 'secret-progress' });
        return 'secret-result';
      };
      await add({ backoff: { type: 'fixed', delay: 1, options: { key: 'secret-option' } } });
      expect(exportedText(traces.spans)).not.toContain('secret-');
    });
  });

  it('of a processor of request scope has its span as well', async () => {
    await withJobs({ scope: Scope.REQUEST }, async ({ add, traces }) => {
      await add();
      expect(traces.named('Steps.take').parentSpanContext?.spanId).toBe(idOf(processing(traces.spans)[0]));
    });
  });

  it('has the commands and jobs that its processor makes below its span', async () => {
    const client = openClient();
    await withJobs({}, async ({ add, queue, traces }) => {
      work = async (job) => {
        await client.get('mine:1');
        if (job.name === 'ship') await queue.add({});
      };
      await add({}, 2);
      const step = traces.spans.find(({ name }) => name === 'Steps.take')!;
      const below = traces.spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === idOf(step));
      expect(below.map(({ name }) => name)).toEqual(['GET', `send ${queueName}`]);
    });
  });

  it('has the commands of a listener of the application below its span', async () => {
    const client = openClient();
    await withJobs({}, async ({ add, queue, traces }) => {
      queue.on('failed', () => void client.get('mine:1'));
      work = () => Promise.reject(new RangeError('x'));
      await add();
      await traces.until((spans) => spans.some(({ name }) => name === 'GET'));
      expect(traces.named('GET').parentSpanContext?.spanId).toBe(idOf(processing(traces.spans)[0]));
    });
  });

  it('of a sandboxed processor has a span, and arrives there as it was added', async () => {
    await withJobs({ queue: { processors: [SANDBOXED] } }, async ({ queue, run, traces }) => {
      const finish = async (data: object) => {
        const job = await run(() => queue.add(data));
        return job.finished();
      };
      expect(await finish({})).not.toContain('telemetry');
      await expect(finish({ fails: true })).rejects.toThrow('too far');
      await traces.until((spans) => processing(spans).length === 2);
      expect(processing(traces.spans).map(({ status }) => status.code)).toEqual([0, 2]);
      expect(processing(traces.spans).map(linkedIds)).toEqual(sending(traces.spans).map((send) => [idOf(send)]));
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

  it('that is added where nothing is traced has neither span nor link', async () => {
    class Quiet {
      @NoSpan()
      add(queue: Queue): Promise<Job> {
        return queue.add('ship', {});
      }
    }
    await withJobs({}, async ({ queue, run, traces }) => {
      await run(() => new Quiet().add(queue));
      await traces.until((spans) => processing(spans).length === 1);
      expect([sending(traces.spans), processing(traces.spans)[0]!.links]).toEqual([[], []]);
    });
  });

  it('with a trace context that is none is processed as any other', async () => {
    const options = [
      { metadata: '{' },
      { metadata: '{"traceparent":"00-zz"}' },
      { metadata: 'x'.repeat(1e6) },
      5,
      null,
    ];
    const plain = openQueue();
    await withJobs({}, async ({ traces }) => {
      for (const telemetry of options) await plain.add('ship', {}, { telemetry } as JobOptions);
      await traces.until((spans) => processing(spans).length === options.length);
      expect(processing(traces.spans).map(({ links, status }) => [links, status.code])).toEqual(
        options.map(() => [[], 0]),
      );
    });
  });

  it('is processed by a worker without tracing', async () => {
    const plain = openQueue();
    await withJobs({ queue: { processors: [] } }, async ({ queue, run }) => {
      const seen = deferred<unknown>();
      void plain.process('ship', (job) => Promise.resolve(seen.resolve(job.data)));
      await run(() => queue.add('ship', { order: 7 }));
      expect(await seen.promise).toEqual({ order: 7 });
    });
  });

  it('that cannot be added rejects as without tracing, and has the type of the error', async () => {
    await withJobs({}, async ({ queue, run, traces }) => {
      const circular: { self?: unknown } = {};
      circular.self = circular;
      await expect(run(() => queue.add('ship', circular))).rejects.toThrow(TypeError);
      const [send] = sending(traces.spans);
      expect([send!.status, send!.attributes['error.type']]).toEqual([{ code: 2 }, 'TypeError']);
      expect(() => queue.addBulk(undefined as never)).toThrow(TypeError);
    });
  });

  it('is not traced, if the application does not want that', async () => {
    await withJobs({ tracing: { jobs: { bull: false }, data: false } }, async ({ queue, run, traces }) => {
      const done = deferred<Job>();
      work = done.resolve;
      const job = await run(() => queue.add('ship', {}));
      await done.promise;
      await run(() => Promise.resolve());
      expect([sending(traces.spans), processing(traces.spans)]).toEqual([[], []]);
      expect(await queue.client.hget(queue.toKey(String(job.id)), 'opts')).not.toContain('telemetry');
    });
  });

  it('that the application takes by itself has a span of the call, with a link to the producer, and its own options', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      const bare = openQueue();
      const opts = { attempts: 3, timestamp: 1 };
      await bare.add('ship', {}, opts);
      const expected = (await bare.getNextJob())!.opts;
      await withDataApp({ providers: [{ provide: 'QUEUE', useFactory: () => openQueue() }] }, async ({ app }) => {
        const queue = app.get<Queue>('QUEUE');
        await run(() => queue.add('ship', {}, opts));
        const job = await run(() => queue.getNextJob());
        expect(job!.opts).toEqual(expected);
        await job!.moveToFailed({ message: 'not yet' }, true);
        const again = await run(() => queue.getNextJob());
        expect(again!.id).toBe(job!.id);
        await again!.moveToCompleted('done', true);
        await traces.until((spans) => spans.filter(({ name }) => name.startsWith('GET /work')).length === 3);
        const receive = traces.spans.filter(({ name }) => name === `receive ${queueName}`);
        const [send] = sending(traces.spans);
        expect(receive.map(linkedIds)).toEqual([[idOf(send)], [idOf(send)]]);
        expect(receive.map(({ attributes }) => attributes['bull.job.attempts.made'])).toEqual([1, 2]);
        expect(receive[0]).toMatchObject({ kind: 2, attributes: { 'messaging.operation.type': 'receive' } });
        const handlers = traces.spans.filter(({ name }) => name === 'WorkController.work');
        expect(receive.map((span) => span.parentSpanContext?.spanId)).toEqual(handlers.slice(1).map(idOf));
      });
    });
  });

  it('is taken for a processor without such a span, wherever the processor was registered', async () => {
    await withJobs({}, async ({ add, queue, run, traces }) => {
      const done = deferred();
      await run(() => void queue.process('by hand', async () => done.resolve()));
      await run(() => queue.add('by hand', {}));
      await done.promise;
      await add({}, 2);
      expect(traces.spans.filter(({ name }) => name.startsWith('receive'))).toEqual([]);
      expect(processing(traces.spans).map((span) => span.parentSpanContext)).toEqual([undefined, undefined]);
    });
  });

  it('is measured', async () => {
    await withJobs({ tracing: { metrics: {} } }, async ({ run, queue, url }) => {
      const gate = deferred();
      work = () => gate.promise;
      const started = once(queue, 'active');
      await run(() => queue.add('ship', {}));
      await started;
      const labels = { messaging_system: 'bull', messaging_destination_name: queueName };
      expect((await Scrape.of(`${url}/metrics`)).value('nestjs_queue_active_jobs', labels)).toBe(1);
      gate.reject(new RangeError('x'));
      const name = 'messaging_process_duration_seconds';
      const scrape = await Scrape.counted(`${url}/metrics`, name, 1);
      expect(scrape.labels(`${name}_count`)).toEqual([
        { ...labels, error_type: 'RangeError', messaging_operation_name: 'process' },
      ]);
      expect(scrape.exemplars(`${name}_bucket`)).toHaveLength(1);
      expect(scrape.value('nestjs_queue_active_jobs', labels)).toBe(0);
      expect(scrape.value('messaging_client_operation_duration_seconds_count', labels)).toBe(1);
    });
  });
});

describe('a queue', () => {
  it('is as it was after the application has shut down', async () => {
    const queue = openQueue();
    void queue.process(() => Promise.resolve());
    await queue.isReady();
    await (await queue.add({})).finished();
    const look = () => [Reflect.ownKeys(queue), { ...Reflect.get(queue, 'handlers') }];
    const before = look();
    const keys = Object.keys(queue);
    await withDataApp({ providers: [{ provide: 'QUEUE', useFactory: () => queue }] }, async ({ run, traces }) => {
      expect(Object.keys(queue)).toEqual(keys);
      await run(() => queue.add({}));
      await traces.until((spans) => processing(spans).length === 1);
      expect(look()).not.toEqual(before);
    });
    expect(look()).toEqual(before);
  });

  it('that a provider creates as its property is traced', async () => {
    const queue = openQueue();
    @Injectable()
    class Shipping {
      readonly queue = queue;
    }
    await withDataApp({ providers: [Shipping] }, async ({ run, traces }) => {
      void queue.process(() => Promise.resolve());
      await run(() => queue.add({}));
      await traces.until((spans) => processing(spans).length === 1);
      expect(linkedIds(processing(traces.spans)[0]!)).toEqual([idOf(sending(traces.spans)[0])]);
    });
  });

  it('opens no connection because it is looked at', async () => {
    const queue = openQueue({ skipVersionCheck: true } as QueueOptions);
    await withDataApp({ providers: [{ provide: 'QUEUE', useFactory: () => queue }] }, async () => {
      expect(queue).not.toHaveProperty('clientInitialized');
      await Promise.resolve();
    });
  });
});
