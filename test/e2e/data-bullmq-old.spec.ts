/** Workers of versions of BullMQ that have no interface for telemetry. */
import { describe, expect, it } from '@jest/globals';
import { Inject, Injectable } from '@nestjs/common';
import { Span } from 'nestjs-tracing';
import { withDataApp } from '../support/data-app.js';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

interface OldJob {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
  readonly attemptsMade: number;
  readonly opts?: object;
}

/** The members by which a worker is recognized, and the method that calls a processor, as in BullMQ 4 and 5.12. */
class OldWorker {
  readonly name = 'orders';
  readonly opts: object = {};
  readonly qualifiedName = 'bull:orders';
  constructor(private readonly processFn: (job: OldJob) => unknown) {}

  callProcessJob(job: OldJob): unknown {
    return this.processFn(job);
  }

  /** By this method, versions 3 and 4.0 take jobs for their processors as well. */
  async getNextJob(): Promise<OldJob> {
    return { ...job('ship'), opts: { telemetry: { metadata: JSON.stringify({ traceparent: TRACEPARENT }) } } };
  }

  processJob(): void {}
  startStalledCheckTimer(): void {}
  toKey(): void {}
  emit(): void {}
}

/** A worker of BullMQ 5.22 or 5.23, which reads its telemetry only when it is created. */
class TracingWorker extends OldWorker {
  readonly tracer = undefined;

  trace<T>(callback: () => T): T {
    if (!this.tracer) return callback();
    throw new Error('not reached');
  }
}

@Injectable()
class Steps {
  @Span('Steps.take')
  async take(): Promise<string> {
    return 'taken';
  }
}

@Injectable()
class Shipping {
  constructor(@Inject(Steps) private readonly steps: Steps) {}

  readonly tracingWorker = new TracingWorker(() => this.steps.take());

  readonly workerOfApplication = Object.assign(new TracingWorker(() => this.steps.take()), { opts: { telemetry: {} } });

  readonly worker = new OldWorker(({ name }) => {
    if (name === 'ship') return this.steps.take();
    const error = new RangeError('no such ship');
    if (name === 'later') error.name = 'DelayedError';
    if (name === 'throws') throw error;
    return Promise.reject(name === 'null' ? null : error);
  });
}

const job = (name: string): OldJob => ({ id: '7', name, data: 'secret', attemptsMade: 1 });

describe('a job of an old version of BullMQ', () => {
  it('has a span with its outcome, and its processor the same result', async () => {
    await withDataApp({ providers: [Shipping, Steps] }, async ({ app, run, traces }) => {
      const { worker } = app.get(Shipping);
      expect(await run(() => worker.callProcessJob(job('ship')))).toBe('taken');
      const attributes = {
        'messaging.system': 'bullmq',
        'messaging.destination.name': 'orders',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.message.id': '7',
        'bullmq.job.name': 'ship',
        'bullmq.job.attempts.made': 1,
      };
      await traces.until((spans) => spans.some(({ name }) => name === 'process orders'));
      const span = traces.named('process orders');
      expect([span.attributes, span.parentSpanContext]).toEqual([attributes, undefined]);
      expect(traces.named('Steps.take').parentSpanContext?.spanId).toBe(span.spanContext().spanId);
      traces.reset();

      await expect(worker.callProcessJob(job('fails'))).rejects.toThrow(new RangeError('no such ship'));
      expect(() => worker.callProcessJob(job('throws'))).toThrow(new RangeError('no such ship'));
      await expect(worker.callProcessJob(job('later'))).rejects.toThrow('no such ship');
      await traces.until((spans) => spans.length === 3);
      const outcomes = traces
        .take()
        .map(({ attributes: shown, status }) => `${String(shown['error.type'])} ${status.code}`);
      expect(outcomes.toSorted()).toEqual(['RangeError 2', 'RangeError 2', 'undefined 0']);
    });
  });

  it('has a link to its producer, whatever method the worker has taken it by', async () => {
    await withDataApp({ providers: [Shipping, Steps] }, async ({ app, run, traces }) => {
      const { worker } = app.get(Shipping);
      const taken = await run(() => worker.getNextJob());
      await worker.callProcessJob(taken);
      await traces.until((spans) => spans.some(({ name }) => name === 'process orders'));
      expect(traces.named('process orders').links.map(({ context }) => context.spanId)).toEqual(['b7ad6b7169203331']);
      expect(taken.opts).toEqual({});
    });
  });

  it.each(['tm', 'telemetryMetadata'])('has a link to its producer, which has stored it as %s', async (option) => {
    await withDataApp({ providers: [Shipping, Steps] }, async ({ app, traces }) => {
      const opts = { [option]: JSON.stringify({ traceparent: TRACEPARENT }) };
      await app.get(Shipping).worker.callProcessJob({ ...job('ship'), opts });
      await traces.until((spans) => spans.some(({ name }) => name === 'process orders'));
      expect(traces.named('process orders').links.map(({ context }) => context.spanId)).toEqual(['b7ad6b7169203331']);
    });
  });

  it('has a span for any value that it is rejected with', async () => {
    await withDataApp({ providers: [Shipping, Steps] }, async ({ app, traces }) => {
      await expect(app.get(Shipping).worker.callProcessJob(job('null'))).rejects.toBeNull();
      await traces.expect({
        name: 'process orders',
        kind: 'CONSUMER',
        status: 'ERROR: null',
        attributes: { 'error.type': 'null' },
        events: ['exception null: null'],
      });
    });
  });

  it('has a span with the first versions that have an interface for telemetry', async () => {
    await withDataApp({ providers: [Shipping, Steps] }, async ({ app, traces }) => {
      await app.get(Shipping).tracingWorker.callProcessJob(job('ship'));
      await traces.expect({ name: 'process orders', kind: 'CONSUMER', children: [{ name: 'Steps.take' }] });
    });
  });

  it('has no span if the application has a telemetry of its own', async () => {
    await withDataApp({ providers: [Shipping, Steps] }, async ({ app, traces }) => {
      await app.get(Shipping).workerOfApplication.callProcessJob(job('ship'));
      await traces.expect({ name: 'Steps.take' });
    });
  });

  it('is not traced if the application does not want that', async () => {
    const tracing = { data: { bullmq: false } };
    await withDataApp({ tracing, providers: [Shipping, Steps] }, async ({ app, traces }) => {
      await app.get(Shipping).worker.callProcessJob(job('ship'));
      expect(traces.spans.map(({ name }) => name)).toEqual(['Steps.take']);
    });
  });
});
