/** A command line of `nest-commander`. Its arguments are the commands and the options of the application in JSON. */
import 'reflect-metadata';
import { Inject, Injectable, Module } from '@nestjs/common';
import { Command, CommandFactory, CommandRunner, RootCommand, SubCommand } from 'nest-commander';
import { Span, TracingModule, TracingService, type TracingOptions } from 'nestjs-tracing';

const { serviceErrorHandler, ...tracing } = JSON.parse(process.env.APP_OPTIONS ?? '{}') as TracingOptions & {
  serviceErrorHandler?: 'exit';
};

@Injectable()
class Releases {
  @Span()
  async publish(): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return 'published';
  }
}

@Command({ name: 'deploy', arguments: '[target]' })
class DeployCommand extends CommandRunner {
  constructor(@Inject(Releases) private readonly releases: Releases) {
    super();
  }

  @Span()
  async run([target]: string[]): Promise<void> {
    process.stdout.write(`${await this.releases.publish()}\n`);
    if (target === 'moon') throw new RangeError('too far');
  }
}

@SubCommand({ name: 'add' })
class AddCommand extends CommandRunner {
  constructor(@Inject(DeployCommand) private readonly deploy: DeployCommand) {
    super();
  }

  run(): Promise<void> {
    return this.deploy.run([]);
  }
}

@Command({ name: 'user', subCommands: [AddCommand] })
class UserCommand extends CommandRunner {
  async run(): Promise<void> {}
}

@RootCommand({})
class MainCommand extends CommandRunner {
  constructor(@Inject(TracingService) private readonly tracing: TracingService) {
    super();
  }

  async run(): Promise<void> {
    process.stdout.write(`${this.tracing.traceId ?? 'no trace'}\n`);
    await Promise.resolve();
  }
}

@Module({
  imports: [TracingModule.forRoot({ serviceName: 'cli', ...tracing })],
  providers: [Releases, DeployCommand, AddCommand, UserCommand, MainCommand],
})
class AppModule {}

await CommandFactory.run(AppModule, {
  logger: ['warn', 'error'],
  ...(serviceErrorHandler && {
    serviceErrorHandler: (error) => {
      process.stderr.write(`failed: ${error.message}\n`);
      process.exit(3);
    },
  }),
});
