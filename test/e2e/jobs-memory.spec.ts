/** What is over is not held, also if something that a job or an operation has started lives on. */
import { afterEach, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { Query, Resolver } from '@nestjs/graphql';
import { CronJob } from 'cron';
import { withDataApp } from '../support/data-app.js';
import { countHeld } from '../support/garbage.js';
import { startGraphQLApp } from '../support/graphql-app.js';

const ROUNDS = 200;

let refs: WeakRef<object>[] = [];
const timers: NodeJS.Timeout[] = [];

/** Leaves a timer that lives on, and an error that should not. */
function fail(): never {
  timers.push(setInterval(() => {}, 1_000_000).unref());
  const error = new Error('over');
  refs.push(new WeakRef(error));
  throw error;
}

afterEach(() => {
  refs = [];
  for (const timer of timers.splice(0)) clearInterval(timer);
});

@Injectable()
class CleanupService {
  @Cron('0 0 1 1 *', { name: 'nightly' })
  async purge(): Promise<void> {
    await Promise.resolve();
    fail();
  }
}

@Resolver()
class FailingResolver {
  @Query(() => String, { nullable: true })
  async fails(): Promise<string> {
    await Promise.resolve();
    return fail();
  }
}

it('ticks hold nothing', async () => {
  await withDataApp({ imports: [ScheduleModule.forRoot()], providers: [CleanupService] }, async ({ app, traces }) => {
    const job = app.get(SchedulerRegistry).getCronJob('nightly');
    for (let round = 0; round < ROUNDS; round++) await job.fireOnTick();
    await traces.until((spans) => spans.length >= ROUNDS);
    traces.reset();
    expect(refs).toHaveLength(ROUNDS);
    expect(await countHeld(refs)).toBeLessThan(ROUNDS / 10);
  });
});

it('jobs that were deleted from the registry are not held', async () => {
  await withDataApp({ imports: [ScheduleModule.forRoot()] }, async ({ app, traces }) => {
    const registry = app.get(SchedulerRegistry);
    for (let round = 0; round < ROUNDS; round++) {
      const job = CronJob.from({ cronTime: '0 0 1 1 *', onTick: () => {} });
      const timer = setInterval(() => {}, 1_000_000);
      refs.push(new WeakRef(job), new WeakRef(timer));
      registry.addCronJob('job', job);
      registry.addInterval('timer', timer);
      await job.fireOnTick();
      registry.deleteCronJob('job');
      registry.deleteInterval('timer');
    }
    await traces.until((spans) => spans.length >= ROUNDS);
    traces.reset();
    expect(await countHeld(refs)).toBeLessThan(ROUNDS / 10);
  });
});

it.each([['Apollo on Express' as const], ['Mercurius' as const]])('operations with %s hold nothing', async (kind) => {
  const app = await startGraphQLApp(kind, {
    resolvers: [FailingResolver],
    tracing: { metrics: { path: '/metrics', defaultMetrics: false } },
  });
  for (let round = 0; round < ROUNDS; round++) await app.query('query Fails { fails }');
  await app.traces.until((spans) => spans.length >= ROUNDS * 2);
  app.traces.reset();
  expect(refs).toHaveLength(ROUNDS);
  expect(await countHeld(refs)).toBeLessThan(ROUNDS / 10);
  await app.close();
});
