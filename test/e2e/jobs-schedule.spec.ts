/** Scheduled jobs of @nestjs/schedule: each tick is a trace of its own, and the application is as it would be without tracing. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Inject, Injectable, Scope, type LoggerService, type Type } from '@nestjs/common';
import { Cron, Interval, ScheduleModule, SchedulerRegistry, Timeout } from '@nestjs/schedule';
import { context, trace, type Span as ApiSpan } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { CronJob } from 'cron';
import { CurrentSpan, NoSpan, Span, type TracingOptions } from 'nestjs-tracing';
import { EMPTY, Observable } from 'rxjs';
import { withDataApp, type DataApp } from '../support/data-app.js';
import { deferred } from '../support/deferred.js';
import { Scrape } from '../support/scrape.js';
import { rejection, unhandledRejections } from '../support/unhandled-rejections.js';

/** Never ticks by itself within a test. */
const YEARLY = '0 0 1 1 *';

/** What the scheduled method of a test does. */
let work: (...args: unknown[]) => unknown = () => undefined;

afterEach(() => {
  work = () => undefined;
  jest.restoreAllMocks();
});

@Injectable()
class Steps {
  @Span('Steps.take')
  async take(id?: unknown): Promise<unknown> {
    await delay(1);
    return id;
  }
}

@Injectable()
class CleanupService {
  @Cron(YEARLY, { name: 'nightly', timeZone: 'UTC' })
  purge(...args: unknown[]): unknown {
    return work(...args);
  }
}

interface Scheduled extends DataApp {
  readonly registry: SchedulerRegistry;
  /** Ticks once, and waits until the scheduler has dealt with it. */
  tick(name?: string): Promise<void>;
}

interface ScheduledOptions {
  readonly logger?: LoggerService;
  readonly tracing?: Omit<TracingOptions, 'exporter'> | false;
}

async function withJobs(
  providers: Type[],
  use: (app: Scheduled) => Promise<void>,
  options: ScheduledOptions = {},
): Promise<void> {
  await withDataApp(
    { ...options, imports: [ScheduleModule.forRoot()], providers: [...providers, Steps] },
    async (app) => {
      const registry = app.app.get(SchedulerRegistry);
      const tick = (name = 'nightly') => registry.getCronJob(name).fireOnTick();
      await use({ ...app, registry, tick });
    },
  );
}

const named = (spans: readonly ReadableSpan[], name: string) => spans.filter((span) => span.name === name);

function expectRoot(span: ReadableSpan): void {
  expect([span.parentSpanContext, span.links]).toEqual([undefined, []]);
}

describe('a tick', () => {
  it('of a cron job, an interval and a timeout is the root of a trace of its own', async () => {
    @Injectable()
    class Jobs {
      @Cron('* * * * * *')
      everySecond(): void {}

      @Interval('poll', 20)
      poll(): void {}

      @Timeout(300)
      warmUp(): void {}
    }
    await withJobs([Jobs, CleanupService], async ({ tick, traces }) => {
      await tick();
      const expected = ['Jobs.everySecond', 'Jobs.poll', 'Jobs.warmUp', 'CleanupService.purge'];
      await traces.until((spans) => expected.every((name) => named(spans, name).length > 0));
      for (const span of traces.spans) expectRoot(span);
      const ids = traces.spans.map((span) => span.spanContext().traceId);
      expect(new Set(ids).size).toBe(ids.length);
      expect(traces.spans.map(({ kind }) => kind)).toEqual(ids.map(() => 0));
      const attributes = expected.map((name) => traces.named(name).attributes);
      expect(attributes).toEqual([
        {
          'code.function.name': 'Jobs.everySecond',
          'nestjs.schedule.type': 'cron',
          'nestjs.schedule.cron': '* * * * * *',
        },
        {
          'code.function.name': 'Jobs.poll',
          'nestjs.schedule.type': 'interval',
          'nestjs.schedule.name': 'poll',
          'nestjs.schedule.interval': 20,
        },
        { 'code.function.name': 'Jobs.warmUp', 'nestjs.schedule.type': 'timeout', 'nestjs.schedule.timeout': 300 },
        {
          'code.function.name': 'CleanupService.purge',
          'nestjs.schedule.type': 'cron',
          'nestjs.schedule.name': 'nightly',
          'nestjs.schedule.cron': YEARLY,
          'nestjs.schedule.time_zone': 'UTC',
        },
      ]);
    });
  });

  it('takes over nothing of the context in which its timer fires', async () => {
    await withJobs([CleanupService], async ({ run, tick, traces }) => {
      let baggage: unknown = 'not seen';
      const key = Symbol('of the request');
      work = () => (baggage = context.active().getValue(key));
      await run(() => context.with(context.active().setValue(key, 'secret'), () => tick()));
      await traces.until((spans) => spans.length === 3);
      expectRoot(traces.named('CleanupService.purge'));
      expect(baggage).toBeUndefined();
    });
  });

  it('has what it does below it, also while another tick of the same job runs', async () => {
    await withJobs([CleanupService], async ({ app, tick, traces }) => {
      const steps = app.get(Steps);
      let count = 0;
      const gates = [deferred(), deferred()] as const;
      work = async () => {
        const gate = gates[count++]!;
        await steps.take();
        await gate.promise;
        await steps.take();
      };
      const ticks = [tick(), tick()];
      gates[1].resolve();
      await traces.until((spans) => named(spans, 'CleanupService.purge').length === 1);
      gates[0].resolve();
      await Promise.all(ticks);
      await traces.expect(
        { name: 'CleanupService.purge', children: [{ name: 'Steps.take' }, { name: 'Steps.take' }] },
        { name: 'CleanupService.purge', children: [{ name: 'Steps.take' }, { name: 'Steps.take' }] },
      );
    });
  });

  it('lasts until its promise settles', async () => {
    await withJobs([CleanupService], async ({ tick, traces }) => {
      const gate = deferred();
      work = () => gate.promise;
      const done = tick();
      await traces.untilOpen(1);
      gate.resolve();
      await done;
      await traces.expect({ name: 'CleanupService.purge' });
    });
  });

  it('ends with the call if it returns an Observable or a generator, which the scheduler does not run', async () => {
    await withJobs([CleanupService], async ({ tick, traces }) => {
      let subscriptions = 0;
      for (const value of [EMPTY, new Observable(() => void subscriptions++), (function* () {})()]) {
        work = () => value;
        await tick();
        work = () => Promise.resolve(value);
        await tick();
      }
      await traces.until((spans) => spans.length === 6);
      expect(traces.open).toEqual([]);
      expect(subscriptions).toBe(0);
    });
  });

  it('gets the same arguments and the same `this`', async () => {
    await withJobs([CleanupService], async ({ app, registry, tick }) => {
      const calls: unknown[][] = [];
      const service = app.get(CleanupService);
      jest.spyOn(service, 'purge');
      work = (...args) => calls.push(args);
      const { onComplete } = registry.getCronJob('nightly') as unknown as { onComplete: unknown };
      await tick();
      expect(calls).toEqual([[onComplete]]);
    });
  });

  it('fills parameters with @CurrentSpan()', async () => {
    const seen: (ApiSpan | undefined)[] = [];
    @Injectable()
    class Jobs {
      @Cron(YEARLY, { name: 'nightly' })
      purge(_onComplete: unknown, @CurrentSpan() span?: ApiSpan): void {
        seen.push(span, trace.getActiveSpan());
      }
    }
    await withJobs([Jobs], async ({ tick, traces }) => {
      await tick();
      await traces.expect({ name: 'Jobs.purge' });
      expect(seen[0]).toBe(seen[1]);
      expect(seen[0]).toBeDefined();
    });
  });
});

describe('a tick that fails', () => {
  class Log implements LoggerService {
    readonly errors: unknown[][] = [];
    log(): void {}
    warn(): void {}
    error(...args: unknown[]): void {
      this.errors.push(args);
    }
  }

  it.each([
    [
      'throws',
      (error: Error) => () => {
        throw error;
      },
    ],
    ['rejects', (error: Error) => () => Promise.reject(error)],
  ] as const)(
    'because it %s has the exception, and the scheduler logs the same as without tracing',
    async (_, failing) => {
      const logs = [new Log(), new Log()] as const;
      const error = new TypeError('no such table');
      work = failing(error);
      await withJobs([CleanupService], ({ tick }) => tick(), { logger: logs[0], tracing: false });
      await withJobs(
        [CleanupService],
        async ({ tick, traces }) => {
          await tick();
          await traces.expect({
            name: 'CleanupService.purge',
            status: 'ERROR: no such table',
            attributes: { 'error.type': 'TypeError' },
            events: ['exception TypeError: no such table'],
          });
        },
        { logger: logs[1] },
      );
      expect(logs[1].errors).toEqual(logs[0].errors);
      expect(logs[1].errors[0]?.[0]).toBe(error);
    },
  );
});

describe('decorators on a scheduled method', () => {
  it('@Span() joins the span of the tick, in any order', async () => {
    @Injectable()
    class Jobs {
      @Span({ attributes: { shelf: 'a' } })
      @Cron(YEARLY, { name: 'one' })
      one(): void {
        throw new RangeError('too many');
      }

      @Cron(YEARLY, { name: 'two' })
      @Span()
      async two(): Promise<void> {
        await Promise.resolve();
      }

      @Cron(YEARLY, { name: 'three' })
      @Span('count the stock')
      three(): void {}
    }
    await withJobs([Jobs], async ({ tick, traces }) => {
      for (const name of ['one', 'two', 'three']) await tick(name);
      await traces.expect(
        {
          name: 'Jobs.one',
          status: expect.stringContaining('ERROR'),
          attributes: { shelf: 'a', 'nestjs.schedule.name': 'one' },
          events: ['exception RangeError: too many'],
        },
        { name: 'Jobs.two' },
        { name: 'Jobs.three', children: [{ name: 'count the stock' }] },
      );
    });
  });

  it('@NoSpan() on the method or the class suppresses the tick and everything below it, and the tick is measured', async () => {
    @Injectable()
    class Jobs {
      constructor(@Inject(Steps) private readonly steps: Steps) {}

      @Cron(YEARLY, { name: 'method' })
      @NoSpan()
      quiet(): Promise<unknown> {
        return this.steps.take();
      }
    }

    @NoSpan()
    @Injectable()
    class QuietJobs {
      constructor(@Inject(Steps) private readonly steps: Steps) {}

      @Cron(YEARLY, { name: 'class' })
      quiet(): Promise<unknown> {
        return this.steps.take();
      }
    }
    await withJobs(
      [Jobs, QuietJobs, CleanupService],
      async ({ tick, traces, url }) => {
        for (const name of ['method', 'class', 'nightly']) await tick(name);
        await traces.expect({ name: 'CleanupService.purge' });
        const histogram = 'nestjs_schedule_job_duration_seconds';
        const scrape = await Scrape.counted(`${url}/metrics`, histogram, 3);
        expect(scrape.exemplars(`${histogram}_bucket`)).toHaveLength(1);
      },
      { tracing: { metrics: {} } },
    );
  });
});

describe('a cron job', () => {
  it('that waits for its completion has no span for a tick that is left out', async () => {
    @Injectable()
    class Jobs {
      @Cron(YEARLY, { name: 'slow', waitForCompletion: true })
      slow(): unknown {
        return work();
      }
    }
    await withJobs([Jobs], async ({ registry, tick, traces }) => {
      const gate = deferred();
      work = () => gate.promise;
      const first = tick('slow');
      await tick('slow');
      expect(registry.getCronJob('slow').isCallbackRunning).toBe(true);
      gate.resolve();
      await first;
      expect(registry.getCronJob('slow').isCallbackRunning).toBe(false);
      await tick('slow');
      await traces.expect({ name: 'Jobs.slow' }, { name: 'Jobs.slow' });
    });
  });

  it('that is disabled, started, stopped and started again has a span for each tick', async () => {
    @Injectable()
    class Jobs {
      @Cron('* * * * * *', { name: 'seconds', disabled: true })
      seconds(): void {}
    }
    await withJobs([Jobs], async ({ registry, traces }) => {
      const job = registry.getCronJob('seconds');
      for (const count of [1, 2]) {
        expect(job.isActive).toBe(false);
        job.start();
        await traces.until((spans) => spans.length === count);
        await job.stop();
      }
      for (const span of traces.spans) expectRoot(span);
    });
  });
});

describe('a cron job that the application adds to the registry', () => {
  it('has ticks that are roots, named without the ids in its name', async () => {
    await withJobs([], async ({ app, registry, run, traces }) => {
      const steps = app.get(Steps);
      await run(() => {
        const job = CronJob.from({
          cronTime: new Date(Date.now() + 300),
          onTick: async () => void (await steps.take()),
        });
        registry.addCronJob('reminder-4711', job);
        job.start();
      });
      await traces.until((spans) => spans.some(({ name }) => name.startsWith('cron')));
      const tick = traces.named('cron reminder-*');
      expectRoot(tick);
      expect(tick.attributes).toMatchObject({
        'nestjs.schedule.type': 'cron',
        'nestjs.schedule.name': 'reminder-4711',
      });
      expect(traces.named('Steps.take').parentSpanContext?.spanId).toBe(tick.spanContext().spanId);
    });
  });

  it('has the exception of its function, which the job handles as without tracing', async () => {
    for (const waitForCompletion of [false, true]) {
      for (const fail of [
        () => {
          throw new RangeError('late');
        },
        () => Promise.reject(new RangeError('late')),
      ]) {
        await withJobs([], async ({ registry, tick, traces }) => {
          const handled = deferred<unknown>();
          const errorHandler = handled.resolve;
          registry.addCronJob(
            'report',
            CronJob.from({ cronTime: YEARLY, onTick: fail, errorHandler, waitForCompletion }),
          );
          await tick('report');
          expect(await handled.promise).toEqual(new RangeError('late'));
          await traces.expect({ name: 'cron report', status: 'ERROR: late', events: ['exception RangeError: late'] });
        });
      }
    }
  });

  it('has its exception logged by the job as without tracing, if nothing else handles it, and shows its zone', async () => {
    const logged: unknown[][][] = [];
    const failure = new RangeError('late');
    for (const tracing of [false, {}] as const) {
      const log = jest.spyOn(console, 'error').mockImplementation(() => {});
      await withJobs(
        [],
        async ({ registry, tick, traces }) => {
          const onTick = () => Promise.reject(failure);
          registry.addCronJob('report', CronJob.from({ cronTime: YEARLY, onTick, timeZone: 'Europe/Zurich' }));
          const unhandled = await unhandledRejections(() => tick('report'));
          expect(unhandled).toEqual([]);
          logged.push(log.mock.calls);
          const attributes = { 'nestjs.schedule.time_zone': 'Europe/Zurich' };
          const events = ['exception RangeError: late'];
          if (tracing) await traces.expect({ name: 'cron report', status: 'ERROR: late', attributes, events });
        },
        { tracing },
      );
      log.mockRestore();
    }
    expect(logged[0]).toHaveLength(1);
    expect(logged[1]).toEqual(logged[0]);
  });

  it('is found in a constructor, and with a function that is added later', async () => {
    @Injectable()
    class Jobs {
      constructor(@Inject(SchedulerRegistry) registry: SchedulerRegistry) {
        registry.addCronJob('early', CronJob.from({ cronTime: YEARLY, onTick: () => undefined }));
      }
    }
    await withJobs([Jobs], async ({ registry, tick, traces }) => {
      registry.getCronJob('early').addCallback(() => void trace.getActiveSpan()?.setAttribute('callback', 2));
      await tick('early');
      await traces.expect(
        { name: 'cron early', attributes: { callback: undefined } },
        { name: 'cron early', attributes: { callback: 2 } },
      );
    });
  });

  it('may be deleted and added again', async () => {
    await withJobs([], async ({ registry, tick, traces }) => {
      const job = CronJob.from({ cronTime: YEARLY, onTick: () => undefined });
      registry.addCronJob('one', job);
      registry.deleteCronJob('one');
      registry.addCronJob('one', job);
      await tick('one');
      await traces.expect({ name: 'cron one' });
    });
  });
});

describe('an interval or a timeout that the application adds to the registry', () => {
  it('has ticks that are roots, named without the ids in its name', async () => {
    await withJobs([], async ({ app, registry, run, traces }) => {
      const steps = app.get(Steps);
      await run(() => {
        registry.addInterval(
          'poll-4711',
          setInterval(() => steps.take(), 5),
        );
        registry.addTimeout(
          'reminder',
          setTimeout(() => steps.take(), 7),
        );
      });
      await traces.until(
        (spans) => named(spans, 'interval poll-*').length >= 2 && named(spans, 'Steps.take').length >= 3,
      );
      registry.deleteInterval('poll-4711');
      const [interval, again] = named(traces.spans, 'interval poll-*') as [ReadableSpan, ReadableSpan];
      const timeout = traces.named('timeout reminder');
      for (const span of [interval, again, timeout]) expectRoot(span);
      expect(interval.spanContext().traceId).not.toBe(again.spanContext().traceId);
      expect([interval.attributes, timeout.attributes]).toEqual([
        { 'nestjs.schedule.type': 'interval', 'nestjs.schedule.name': 'poll-4711', 'nestjs.schedule.interval': 5 },
        { 'nestjs.schedule.type': 'timeout', 'nestjs.schedule.name': 'reminder', 'nestjs.schedule.timeout': 7 },
      ]);
      const roots = [interval, again, timeout].map((span) => span.spanContext().spanId);
      for (const step of named(traces.spans, 'Steps.take').slice(0, 3))
        expect(roots).toContain(step.parentSpanContext?.spanId);
    });
  });

  it('is found in a constructor, and its function gets the same `this` and arguments', async () => {
    const seen: unknown[][] = [];
    let timer: NodeJS.Timeout | undefined;
    @Injectable()
    class Jobs {
      constructor(@Inject(SchedulerRegistry) registry: SchedulerRegistry) {
        timer = setTimeout(
          function (this: unknown, ...args: unknown[]) {
            seen.push([this, ...args]);
          },
          50,
          'one',
          2,
        );
        registry.addTimeout('early', timer);
      }
    }
    await withJobs([Jobs], async ({ registry, traces }) => {
      expect(registry.getTimeout('early')).toBe(timer);
      await traces.expect({ name: 'timeout early' });
      expect(seen).toEqual([[timer, 'one', 2]]);
    });
  });

  it('has the exception of its function, which ends the process as without tracing', async () => {
    await withJobs([], async ({ registry, traces }) => {
      const timer = setTimeout(() => {
        throw new TypeError('late');
      }, 1_000_000);
      registry.addTimeout('fails', timer);
      const call = Reflect.get(timer, '_onTimeout') as () => void;
      expect(() => Reflect.apply(call, timer, [])).toThrow(new TypeError('late'));
      const events = ['exception TypeError: late'];
      await traces.expect({ name: 'timeout fails', status: 'ERROR: late', events });
      registry.deleteTimeout('fails');
    });
  });

  it('leaves the rejection of its function unhandled, as without tracing, and records it once', async () => {
    const failure = new TypeError('late');
    for (const tracing of [false, {}] as const) {
      await withJobs(
        [],
        async ({ registry, traces }) => {
          const unhandled = await unhandledRejections(async () => {
            const seen = rejection();
            const fail = () => Promise.reject(failure);
            registry.addTimeout('fails', setTimeout(fail, 1));
            await seen;
          });
          expect(unhandled).toEqual([failure]);
          const events = ['exception TypeError: late'];
          if (tracing) await traces.expect({ name: 'timeout fails', status: 'ERROR: late', events });
        },
        { tracing },
      );
    }
  });

  it('has separate traces for ticks that overlap', async () => {
    await withJobs([], async ({ app, registry, traces }) => {
      const steps = app.get(Steps);
      const gates = [deferred(), deferred()] as const;
      let ticks = 0;
      const timer = setInterval(async () => {
        const index = ticks++;
        if (ticks === 2) clearInterval(timer);
        await gates[index]!.promise;
        await steps.take();
      }, 1);
      registry.addInterval('overlaps', timer);
      await traces.untilOpen(2);
      gates[1].resolve();
      await traces.until((spans) => spans.length === 2);
      gates[0].resolve();
      const tick = { name: 'interval overlaps', children: [{ name: 'Steps.take' }] };
      await traces.expect(tick, tick);
    });
  });

  it('may be a timer of fake timers, or anything else', async () => {
    await withJobs([], async ({ registry }) => {
      registry.addInterval('number', 7);
      registry.addInterval('none', undefined as never);
      registry.addTimeout('object', {} as never);
      expect(registry.getInterval('number')).toBe(7);
    });
  });
});

describe('the application', () => {
  it('is as it is without tracing', async () => {
    const purge = Reflect.getOwnPropertyDescriptor(CleanupService.prototype, 'purge')!.value as object;
    const looks: unknown[] = [];
    for (const tracing of [false, {}] as const) {
      await withJobs(
        [CleanupService],
        async ({ app, registry }) => {
          const service = app.get(CleanupService);
          const job = registry.getCronJob('nightly');
          expect(service.purge).toBe(purge);
          looks.push([
            Reflect.ownKeys(service),
            Reflect.ownKeys(purge),
            Object.keys(job),
            Object.keys(registry),
            job.fireOnTick.name,
            Reflect.get(job, '_callbacks').length,
          ]);
          await Promise.resolve();
        },
        { tracing },
      );
    }
    expect(looks[1]).toEqual(looks[0]);
  });

  it('may mock a method before it starts', async () => {
    const spy = jest.spyOn(CleanupService.prototype, 'purge').mockImplementation(() => 'mocked');
    await withJobs([CleanupService], async ({ registry }) => {
      // The mock has no metadata of the decorator, so it is not scheduled, traced or not.
      expect(registry.doesExist('cron', 'nightly')).toBe(false);
      await Promise.resolve();
    });
    expect(spy).not.toHaveBeenCalled();
  });

  it('is warned of jobs in providers of request scope, as without tracing', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      @Cron(YEARLY)
      never(): void {}
    }
    const warnings: unknown[][] = [];
    for (const tracing of [false, {}] as const) {
      const messages: unknown[] = [];
      const logger = { log() {}, error() {}, warn: (message: unknown) => messages.push(message) };
      await withJobs([Scoped], () => Promise.resolve(), { logger, tracing });
      warnings.push(messages);
    }
    expect(warnings[1]).toEqual(warnings[0]);
    expect(warnings[0]).toEqual([expect.stringContaining('Scoped@never')]);
  });

  it.each([{ jobs: false }, { jobs: { schedule: false } }] as const)('is not traced with %j', async (tracing) => {
    await withJobs(
      [CleanupService],
      async ({ run, tick, traces }) => {
        let active: unknown = 'none';
        work = () => (active = trace.getActiveSpan());
        await tick();
        await run(() => undefined);
        expect(named(traces.spans, 'CleanupService.purge')).toEqual([]);
        expect(active).toBeUndefined();
      },
      { tracing },
    );
  });

  it('exports the spans of ticks that still run when it shuts down', async () => {
    const gate = deferred();
    let spans: readonly ReadableSpan[] = [];
    let done: Promise<void> | undefined;
    await withJobs([CleanupService], async ({ tick, traces }) => {
      work = () => gate.promise;
      done = tick();
      ({ spans } = traces);
      await traces.untilOpen(1);
    });
    expect(spans.map(({ name }) => name)).toEqual(['CleanupService.purge']);
    gate.resolve();
    await done;
  });
});

it('ticks are measured, those that run and how long they take', async () => {
  await withJobs(
    [CleanupService],
    async ({ tick, url }) => {
      const gate = deferred();
      work = () => gate.promise;
      const running = tick();
      const labels = { code_function_name: 'CleanupService.purge', nestjs_schedule_type: 'cron' };
      const during = await Scrape.of(`${url}/metrics`);
      expect(during.value('nestjs_schedule_active_jobs', labels)).toBe(1);
      gate.reject(new RangeError('x'));
      await running;
      const histogram = 'nestjs_schedule_job_duration_seconds';
      const after = await Scrape.counted(`${url}/metrics`, histogram, 1);
      expect(after.labels(`${histogram}_count`)).toEqual([{ ...labels, error_type: 'RangeError' }]);
      expect(after.value('nestjs_schedule_active_jobs', labels)).toBe(0);
      expect(after.exemplars(`${histogram}_bucket`)).toHaveLength(1);
    },
    { tracing: { metrics: {} } },
  );
});
