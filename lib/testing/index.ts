export type { ExpectedSpan, ExpectedTrace } from './expected-trace.js';
export type { SpanSnapshot, SpanSnapshotEvent, SpanSnapshotLink } from './span-snapshot.js';
export type { TracingMatchers } from './matcher-types.js';
export { tracingMatchers, type MatcherContext, type MatcherResult } from './matchers.js';
export type { SpanMatch, SpanPattern } from './span-pattern.js';
export { TraceRecorder, type TraceRecorderOptions } from './trace-recorder.js';
export type { TreeOptions } from './trace-text.js';
export { TracingTestModule } from './tracing-test.module.js';
