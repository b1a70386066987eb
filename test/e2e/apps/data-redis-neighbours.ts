/** An application that uses Redis beside OpenTelemetry's instrumentations. It writes the makers of the spans of commands in JSON. */
import 'reflect-metadata';
import { createRequire } from 'node:module';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { trace } from '@opentelemetry/api';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { RedisInstrumentation } from '@opentelemetry/instrumentation-redis';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { TracingModule } from 'nestjs-tracing';

const port = Number(process.argv[2]);
/** A node of a cluster, if there is one. */
const clusterPort = Number(process.argv[3]);
const spans: ReadableSpan[] = [];
const exporter: SpanExporter = {
  export(finished, done) {
    spans.push(...finished);
    done({ code: 0 });
  },
  shutdown: () => Promise.resolve(),
};

registerInstrumentations({ instrumentations: [new IORedisInstrumentation(), new RedisInstrumentation()] });
// The instrumentations see what is required after them.
const require = createRequire(import.meta.url);
const { Cluster, Redis } = require('ioredis') as typeof import('ioredis');
const { createClient, createCluster } = require('redis') as typeof import('redis');

const provided = new Redis({ port, host: '127.0.0.1' });
const hidden = new Redis({ port, host: '127.0.0.1' });
const client = createClient({ socket: { port, host: '127.0.0.1' } });
const cluster = new Cluster([{ host: '127.0.0.1', port: clusterPort }], { lazyConnect: true });
const redisCluster = createCluster({ rootNodes: [{ socket: { host: '127.0.0.1', port: clusterPort } }] });

@Module({
  imports: [TracingModule.forRoot({ exporter })],
  providers: [
    { provide: 'REDIS', useValue: provided },
    { provide: 'CLUSTER', useFactory: () => cluster },
  ],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
await client.connect();
await trace.getTracer('app').startActiveSpan('request', async (span) => {
  await provided.get('a');
  await hidden.get('a');
  await client.get('a');
  await provided.multi().set('a', '1').exec();
  await client.multi().set('a', '1').exec();
  if (clusterPort) {
    await cluster.get('a');
    await cluster.pipeline().set('a', '1').exec();
    await redisCluster.connect();
    await redisCluster.get('a');
    await redisCluster.multi().set('a', '1').exec();
  }
  span.end();
});
await Promise.all([provided.quit(), hidden.quit(), client.close()]);
cluster.disconnect();
if (clusterPort) redisCluster.destroy();
await app.close();
const makers = spans.map(({ instrumentationScope }) => instrumentationScope.name);
process.stdout.write(`${JSON.stringify(makers)}\n`);
