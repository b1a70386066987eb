/** A recorded stack trace must have the frames of the application, and none of the library. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TracingModule, TracingService } from 'nestjs-tracing';

class AppModule {}
Module({ imports: [TracingModule.forRoot({ serviceName: 'users', exporter: 'memory' })] })(AppModule);

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const tracing = app.get(TracingService);
const lost = new Error('lost');
assert.throws(() => findUser(), lost);
await tracing.flush();
const [span] = tracing.finishedSpans();
const recorded = String(span.events[0].attributes['exception.stacktrace']);
await app.close();

const library = /node_modules[\\/]nestjs-tracing[\\/]/;
// The control: the library is in the stack.
assert.match(lost.stack, library);
assert.doesNotMatch(recorded, library);
const functions = [...recorded.matchAll(/^ {4}at (\S+)/gm)].map(([, name]) => name);
assert.deepEqual(functions.slice(0, 2), ['queryDatabase', 'findUser']);

function findUser() {
  return tracing.span('find', function queryDatabase() {
    Error.captureStackTrace(lost);
    throw lost;
  });
}
