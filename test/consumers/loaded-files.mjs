/** An application that has tracing disabled must not load what only tracing needs. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { Session } from 'node:inspector';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TracingModule } from 'nestjs-tracing';

const CORE = /nestjs-tracing\.core\.c?js$/;
const NEEDED_FOR_TRACING = /nestjs-tracing\.enabled\.cjs$|[\\/]@opentelemetry[\\/]/;

await start({ enabled: false });
assert.equal(loaded(CORE).length, 1);
assert.deepEqual(loaded(NEEDED_FOR_TRACING), []);

// The control: this is how it looks if it is loaded.
await start({ serviceName: 'users', exporter: 'none' });
assert.notDeepEqual(loaded(/nestjs-tracing\.enabled\.cjs$/), []);
assert.notDeepEqual(loaded(/[\\/]@opentelemetry[\\/]api[\\/]/), []);

async function start(options) {
  class AppModule {}
  Module({ imports: [TracingModule.forRoot(options)] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  await app.close();
}

/** Returns the files of this process whose name matches. */
function loaded(pattern) {
  const session = new Session();
  const files = [];
  session.connect();
  session.on('Debugger.scriptParsed', ({ params }) => files.push(params.url));
  session.post('Debugger.enable');
  session.disconnect();
  return files.filter((file) => pattern.test(file));
}
