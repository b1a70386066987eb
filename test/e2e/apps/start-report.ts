/**
 * A web application with the options of its first argument, which writes the messages of the library as lines. It calls itself once, and then runs
 * until a signal ends it. Its second argument is `hooks` if it handles signals.
 */
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TracingModule, type TracingOptions } from 'nestjs-tracing';

const [options = '{}', signals] = process.argv.slice(2);

let url = '';

@Controller()
class OrdersController {
  @Get('orders')
  async orders(): Promise<string> {
    const response = await fetch(`${url}/prices`);
    return response.text();
  }

  @Get('prices')
  prices(): string {
    return 'prices';
  }
}

@Module({
  imports: [TracingModule.forRoot({ serviceName: 'orders', ...(JSON.parse(options) as TracingOptions) })],
  controllers: [OrdersController],
})
class AppModule {}

const write = (level: string) => (message: unknown, source: unknown) => {
  if (source === 'TracingModule') process.stdout.write(`${level} ${String(message)}\n`);
};

const app = await NestFactory.create(AppModule, {
  logger: { log: write('log'), warn: write('warn'), error: write('error'), debug: write('debug') },
});
await app.listen(0, '127.0.0.1');
if (signals === 'hooks') app.enableShutdownHooks();
url = await app.getUrl();
await fetch(`${url}/orders`);
process.stdout.write('ready\n');
// The library looks for a listener two seconds after the start.
setTimeout(() => process.stdout.write('looked\n'), 2500);
