import { context } from '@opentelemetry/api';
import { askPredicate } from '../core/diagnostics.js';
import { OutgoingOperation } from '../core/outgoing-operation.js';
import { isTracingSuppressed } from '../core/suppression.js';
import { callAttributes, methodName } from './call-attributes.js';
import { ClientCall, type ClientTracingOptions } from './client-call.js';
import { keepContext } from './client-context.js';
import type { GrpcCall } from '../options/grpc.js';
import type { ClientCallOptions, ClientInterceptingCall, ClientInterceptor, MethodDefinition } from './grpc-js.js';
import { observe } from './guarded-call.js';
import { activeCallAttributes, endedCallAttributes } from './metrics.js';
import { UNKNOWN } from './status-code.js';

/** In the options of a call that is traced; also in copies that other interceptors make of them. */
const TRACED = Symbol('nestjs-tracing traced');

/** The metadata that `ignore` gets to see of a call that could not be made. */
const NO_METADATA = { get: () => [] };

/**
 * An interceptor of grpc-js for clients, which traces each call that they make and sends the trace context along.
 *
 * As on the server, the call is ours alone, and gets methods of its own.
 */
export function clientInterceptor(options: ClientTracingOptions): ClientInterceptor {
  return (callOptions: ClientCallOptions & { readonly [TRACED]?: true }, nextCall) => {
    // A call of which two interceptors would make a span each.
    if (callOptions[TRACED]) return nextCall(callOptions);
    if (isTracingSuppressed(context.active())) return keepContext(nextCall(callOptions));
    const definition = callOptions.method_definition;
    const method = methodName(definition.path);
    const call = orFail(method, definition, options, () =>
      nextCall({ ...callOptions, [TRACED]: true } as ClientCallOptions),
    );
    observe(() => traceCall(method, definition, call, options));
    return keepContext(call);
  };
}

function traceCall(
  method: string,
  definition: MethodDefinition,
  call: ClientInterceptingCall,
  options: ClientTracingOptions,
): void {
  const start = call.start.bind(call);
  call.start = (metadata, listener = {}) => {
    const traced = isIgnored(options, method, metadata)
      ? undefined
      : ClientCall.start(method, definition, call, options);
    if (traced) traced.send(start, metadata, listener);
    else start(metadata, listener);
  };
}

function isIgnored({ ignore }: ClientTracingOptions, method: string, metadata: GrpcCall['metadata']): boolean {
  return askPredicate('grpc.ignore', () => ignore({ method, side: 'client', metadata })) ?? false;
}

// A channel that is closed refuses to make a call, so that there is no call to follow, and no status.
function orFail<T>(method: string, definition: MethodDefinition, options: ClientTracingOptions, makeCall: () => T): T {
  try {
    return makeCall();
  } catch (thrown) {
    if (!isIgnored(options, method, NO_METADATA)) observe(() => recordRefusal(method, definition, options, thrown));
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
