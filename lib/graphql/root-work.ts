import { context, ROOT_CONTEXT, type Link } from '@opentelemetry/api';
import { IncomingOperation } from '../core/incoming-operation.js';
import { IncomingWork, UNMEASURED_CALL, type CallOutcome } from '../core/incoming-work.js';
import { Operation } from '../core/operation.js';
import { isResolveInfo, operationNameOf } from './document.js';
import { operationAttributes, type OperationNaming } from './served-operation.js';

/**
 * True if a resolver is called for a request, or by the application itself within a span. If not, it is called for a message of a
 * WebSocket. An operation that was active when the socket was created is over.
 */
export function isWithinSpan(): boolean {
  return IncomingOperation.active() !== undefined || Operation.in(context.active())?.isRecording === true;
}

/**
 * Starts a trace for an operation that no request has brought: it has come over a WebSocket. The parent is not the active context, which is
 * that in which the socket was created.
 *
 * @param field the name of the field, such as `Query.users`
 * @param args the arguments of its resolver
 * @param suffix added to the name
 */
export function startOperation(
  field: string,
  args: readonly unknown[],
  { names }: OperationNaming,
  { suffix = '', links }: { readonly suffix?: string; readonly links?: Link[] } = {},
): IncomingOperation<CallOutcome> {
  const info = args[3];
  const operation = isResolveInfo(info) ? info.operation : undefined;
  const name = operation ? names.spanName(operation.operation, operationNameOf(operation)) : field;
  const incoming = IncomingOperation.start(name + suffix, UNMEASURED_CALL, {
    attributes: operation && operationAttributes(operation),
    meter: undefined,
    placement: { parent: ROOT_CONTEXT, ...(links && { links }) },
  });
  incoming.callsResolvers = true;
  return incoming;
}

/** The call of a resolver that is an operation of its own. It ends with the result, but not with the events of a subscription. */
export class RootWork extends IncomingWork {
  readonly followsGenerators = false;
}
