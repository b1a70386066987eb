import { NestFactory } from '@nestjs/core';
import { TracingService } from 'nestjs-tracing';
import { AppModule } from './app.module.js';
import { isComplete, type ExpectedSpan } from './trace-check.js';

const app = await NestFactory.create(AppModule, { logger: ['warn', 'error'] });
app.enableShutdownHooks();
await app.listen(Number(process.env.PORT ?? (process.argv.includes('--once') ? 0 : 3000)));
const url = (await app.getUrl()).replace('[::1]', 'localhost');

const placed: ExpectedSpan = {
  name: 'GET /orders/:id',
  children: [
    {
      name: 'OrdersController.one',
      children: [
        { name: 'OrdersService.place', children: [{ name: 'price items' }, { name: 'PaymentsService.charge' }] },
      ],
    },
  ],
};

const ids = ['1029', 'slow', 'declined'];
console.log(`Three requests to ${url}, and their traces:\n`);
for (const id of ids) {
  console.log(`> GET /orders/${id}\n`);
  const response = await fetch(`${url}/orders/${id}`);
  await response.text();
}

const tracing = app.get(TracingService);
await tracing.flush();
const complete = ids.filter((id) => isComplete(tracing.finishedSpans(), `/orders/${id}`, placed));

if (process.argv.includes('--once')) {
  await app.close();
  console.log(`${complete.length} of ${ids.length} traces are complete.`);
  process.exitCode = complete.length === ids.length ? 0 : 1;
} else {
  console.log(`Now try it yourself (Ctrl-C ends it):\n\n  curl ${url}/orders/42\n`);
}
