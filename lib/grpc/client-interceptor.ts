import { context, SpanKind } from '@opentelemetry/api';
import { guarded } from '../core/diagnostics.js';
import { Operation } from '../core/operation.js';
import { isTracingSuppressed } from '../core/suppression.js';
import type { ResolvedGrpc } from '../options/resolved-options.js';
import { callAttributes, methodName } from './call-attributes.js';
import { ClientCall } from './client-call.js';
import type { ClientInterceptor } from './grpc-js.js';

/**
 * An interceptor of grpc-js for clients, which traces each call that they make and sends the trace context along.
 *
 * As on the server, the call is ours alone, and gets methods of its own.
 */
export function clientInterceptor(options: ResolvedGrpc): ClientInterceptor {
  return (callOptions, nextCall) => {
    if (isTracingSuppressed(context.active())) return nextCall(callOptions);
    const definition = callOptions.method_definition;
    const method = methodName(definition.path);
    const call = orFail(method, () => nextCall(callOptions));
    const start = call.start.bind(call);
    call.start = (metadata, listener = {}) => {
      if (guarded('grpc.ignore', () => options.ignore({ method, side: 'client', metadata }))) start(metadata, listener);
      else new ClientCall(method, definition, call, options).start(start, metadata, listener);
    };
    return call;
  };
}

// A channel that is closed refuses to begin a call: there is no status to tell of it.
function orFail<T>(method: string, begin: () => T): T {
  try {
    return begin();
  } catch (thrown) {
    const operation = Operation.start(method, { kind: SpanKind.CLIENT, attributes: callAttributes(method) });
    operation.fail(thrown);
    operation.end();
    throw thrown;
  }
}
