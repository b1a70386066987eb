/** An application with scheduled jobs and a command. It checks its own traces, and fails if they are not as expected. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cron, Interval, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace';
import { CronJob } from 'cron';
import { Command, CommandFactory, CommandRunner } from 'nest-commander';
import { Span, TracingModule, TracingService } from 'nestjs-tracing';

const YEARLY = '0 0 1 1 *';
/** The exporter of both applications, one after the other. */
class SharedExporter extends InMemorySpanExporter {
  override shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

const exporter = new SharedExporter();

@Injectable()
class CleanupService {
  @Span()
  async archive(): Promise<void> {}

  @Span()
  @Cron(YEARLY, { name: 'nightly' })
  async purge(): Promise<void> {
    await this.archive();
  }

  @Interval(10)
  poll(): void {}
}

@Command({ name: 'deploy' })
class DeployCommand extends CommandRunner {
  constructor(private readonly cleanup: CleanupService) {
    super();
  }

  run(): Promise<void> {
    return this.cleanup.archive();
  }
}

@Module({
  imports: [TracingModule.forRoot({ serviceName: 'jobs', exporter }), ScheduleModule.forRoot()],
  providers: [CleanupService, DeployCommand],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
  const registry = app.get(SchedulerRegistry);
  registry.addCronJob('report', CronJob.from({ cronTime: YEARLY, onTick: () => {} }));
  for (const name of ['nightly', 'report']) await registry.getCronJob(name).fireOnTick();
  assert.deepEqual(await tracesOf(app.get(TracingService), 'CleanupService.poll'), [
    'CleanupService.purge: CleanupService.archive',
    'cron report: ',
  ]);
  await app.close();
  exporter.reset();

  process.argv.splice(2, Infinity, 'deploy');
  const commands = await CommandFactory.runWithoutClosing(AppModule, ['error', 'warn']);
  assert.deepEqual(await tracesOf(commands.get(TracingService), 'CleanupService.poll'), [
    'deploy: CleanupService.archive',
  ]);
  await commands.close();
}

/** Waits for a tick of a job, and returns all other traces: the name of each root, and those of the spans below it. */
async function tracesOf(tracing: TracingService, job: string): Promise<string[]> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    assert.ok(Date.now() < deadline, `There is no tick of ${job}.`);
    await tracing.flush();
    const spans = exporter.getFinishedSpans();
    const roots = spans.filter((span) => span.parentSpanContext === undefined);
    if (!roots.some(({ name }) => name === job)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      continue;
    }
    return roots
      .filter(({ name }) => name !== job)
      .map((root) => {
        const { spanId } = root.spanContext();
        const below = spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === spanId);
        return `${root.name}: ${below.map(({ name }) => name).join(', ')}`;
      })
      .sort();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
