/** An application and its plugins may mix import and require: both must get the same classes, or injection fails. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { TracingService } from 'nestjs-tracing';
import { TraceRecorder } from 'nestjs-tracing/testing';

const require = createRequire(import.meta.url);
assert.equal(require('nestjs-tracing').TracingService, TracingService);
assert.equal(require('nestjs-tracing/testing').TraceRecorder, TraceRecorder);
