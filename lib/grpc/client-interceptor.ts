import { context } from '@opentelemetry/api';
import { evaluatePredicate } from '../core/diagnostics.js';
import { OutgoingOperation } from '../core/outgoing-operation.js';
import { isTracingSuppressed } from '../core/suppression.js';
import { callAttributes, methodName } from './call-attributes.js';
import { ClientCall, type ClientTracingOptions, type StartedCall } from './client-call.js';
import { keepContext, keepSenders, ListenerInContext } from './client-context.js';
import type { GrpcCall } from '../options/grpc.js';
import type { ClientCallOptions, ClientInterceptor, MethodDefinition } from './grpc-js.js';
import { traceSafely } from './trace-safely.js';
import { activeCallAttributes, endedCallAttributes } from './metrics.js';
import { UNKNOWN } from './status-code.js';

/** The key that marks the options of a traced call. Copies that other interceptors create have it as well. */
const IS_TRACED = Symbol('nestjs-tracing traced');

/** The metadata that `ignore` receives for a call that could not be created. */
const NO_METADATA = { get: () => [] };

/**
 * Returns an interceptor for clients of grpc-js, which traces each call and injects the trace context.
 *
 * As on the server, grpc-js creates the call object for the interceptors only, so the interceptor overrides methods on it.
 */
export function clientInterceptor(options: ClientTracingOptions): ClientInterceptor {
  return (callOptions: ClientCallOptions & { readonly [IS_TRACED]?: true }, nextCall) => {
    // With two tracing interceptors, the call would have two spans.
    if (callOptions[IS_TRACED]) return nextCall(callOptions);
    if (isTracingSuppressed(context.active())) return keepContext(nextCall(callOptions));
    const definition = callOptions.method_definition;
    const method = methodName(definition.path);
    const call = createOrRecordRefusal(method, definition, options, () =>
      nextCall({ ...callOptions, [IS_TRACED]: true } as ClientCallOptions),
    );
    const runsApplication = callOptions.credentials !== undefined || !isInnermost(call);
    traceSafely(() => traceCall({ call, definition, method, runsApplication }, options));
    return call;
  };
}

function traceCall(started: StartedCall, options: ClientTracingOptions): void {
  const { call, definition, method } = started;
  const { start } = call;
  call.start = (metadata, listener = {}) => {
    const tracedCall = isIgnored(options, method, metadata) ? undefined : ClientCall.start(started, listener, options);
    if (tracedCall) tracedCall.send(start, metadata);
    else start.call(call, metadata, new ListenerInContext(listener));
  };
  // A client sends the one message of other calls without a callback.
  if (definition.requestStream) keepSenders(call);
}

/** True if a call is the one that grpc-js itself puts at the end of the interceptors. That of an interceptor has no definition of the method. */
function isInnermost(call: object): boolean {
  return 'methodDefinition' in call && !('nextCall' in call);
}

function isIgnored({ ignore }: ClientTracingOptions, method: string, metadata: GrpcCall['metadata']): boolean {
  return evaluatePredicate('grpc.ignore', () => ignore({ method, side: 'client', metadata })) ?? false;
}

// A closed channel refuses to create a call, so that there is neither a call to follow nor a status.
function createOrRecordRefusal<T>(
  method: string,
  definition: MethodDefinition,
  options: ClientTracingOptions,
  createCall: () => T,
): T {
  try {
    return createCall();
  } catch (thrown) {
    if (!isIgnored(options, method, NO_METADATA)) traceSafely(() => recordRefusal(method, definition, options, thrown));
    throw thrown;
  }
}

function recordRefusal(
  method: string,
  definition: MethodDefinition,
  options: ClientTracingOptions,
  thrown: unknown,
): void {
  const outgoing = OutgoingOperation.start<void>(
    method,
    {
      describeEnd: (operation) => operation.fail(thrown),
      measuredAttributes: () => endedCallAttributes(method, { code: UNKNOWN }, 'client'),
    },
    { attributes: callAttributes(method), meter: options.meter() },
  );
  outgoing.measure(() => activeCallAttributes(method, definition));
  outgoing.end();
}
