/** An application that has tracing disabled must not load what only tracing needs. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TracingModule } from 'nestjs-tracing';
import { loadedScripts } from './loaded-scripts.mjs';

const CORE = /nestjs-tracing\.core\.c?js$/;
const NEEDED_FOR_TRACING = /nestjs-tracing\.enabled\.cjs$|[\\/]@opentelemetry[\\/]/;

await start({ enabled: false });
assert.equal(loadedScripts(CORE).length, 1);
assert.deepEqual(loadedScripts(NEEDED_FOR_TRACING), []);

// The control: this is how it looks if it is loaded.
await start({ serviceName: 'users', exporter: 'none' });
assert.notDeepEqual(loadedScripts(/nestjs-tracing\.enabled\.cjs$/), []);
assert.notDeepEqual(loadedScripts(/[\\/]@opentelemetry[\\/]api[\\/]/), []);

async function start(options) {
  class AppModule {}
  Module({ imports: [TracingModule.forRoot(options)] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  await app.close();
}
