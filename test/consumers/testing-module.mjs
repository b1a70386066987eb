/** The module for tests gets the classes and the state of the library from the index, and loads no SDK if nothing is recorded. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TracingModule, TracingService } from 'nestjs-tracing';
import { TraceRecorder, TracingTestModule } from 'nestjs-tracing/testing';
import { loadedScripts } from './loaded-scripts.mjs';

await run([TracingTestModule], (app) => {
  app.get(TracingService).span('not recorded', (span) => assert.equal(span.isRecording(), false));
});
assert.deepEqual(loadedScripts(/nestjs-tracing\.enabled\.cjs$|[\\/]@opentelemetry[\\/](?!api[\\/])/), []);

await run([TracingModule.forRoot({ serviceName: 'users' }), TracingTestModule.record()], (app) => {
  app.get(TracingService).span('recorded', () => {});
  assert.deepEqual(app.get(TraceRecorder).trees(), ['recorded']);
});

async function run(imports, use) {
  class AppModule {}
  Module({ imports })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  use(app);
  await app.close();
}
