import { ROOT_CONTEXT, trace, type Context, type SpanContext } from '@opentelemetry/api';
import { describe, expect, it } from '@jest/globals';
import { OperationContext } from '../../../lib/core/operation-context.js';
import { isCaller, rememberCaller } from '../../../lib/core/remote-caller.js';
import { SPAN, TRACE } from '../propagation/messages.js';

const caller: SpanContext = { traceId: TRACE, spanId: SPAN, traceFlags: 1, isRemote: true };
const ownSpan = { ...caller, spanId: '1'.repeat(16), isRemote: false };
const otherSpan = { ...caller, spanId: '2'.repeat(16) };
const otherTrace = { ...caller, traceId: '3'.repeat(32) };

/** A context in which a span is active whose parent the SDK exposes. */
function within(parentSpanContext?: SpanContext, around: Context = ROOT_CONTEXT): Context {
  return trace.setSpan(around, Object.assign(trace.wrapSpanContext(ownSpan), { parentSpanContext }));
}

const serving = (incoming: object) => OperationContext.ofIncoming(ROOT_CONTEXT, incoming);

describe('isCaller()', () => {
  it.each<[what: string, context: Context]>([
    ['the request or call that is served', serving({ caller })],
    ['a message that the application has extracted', rememberCaller(trace.setSpanContext(ROOT_CONTEXT, caller))],
    ['the same further in', within(undefined, rememberCaller(trace.setSpanContext(ROOT_CONTEXT, caller)))],
    ['the active context, where that is the remote one', trace.setSpanContext(ROOT_CONTEXT, caller)],
    ['the active span, by whichever instrumentation', within(caller)],
  ])('knows the caller of %s, and takes no other span for it', (_, context) => {
    expect(isCaller({ ...caller }, context)).toBe(true);
    expect([isCaller(otherSpan, context), isCaller(otherTrace, context)]).toEqual([false, false]);
  });

  it.each<[what: string, context: Context]>([
    ['nothing is served', ROOT_CONTEXT],
    ['a request without a caller is served', serving({})],
    ['the span is not remote', trace.setSpanContext(ROOT_CONTEXT, { ...caller, isRemote: false })],
    ['the parent is not remote', within({ ...caller, isRemote: false })],
    ['a local span was extracted', rememberCaller(trace.setSpanContext(ROOT_CONTEXT, { ...caller, isRemote: false }))],
  ])('knows none where %s', (_, context) => {
    expect(isCaller(caller, context)).toBe(false);
  });
});
