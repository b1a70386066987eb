import { createContextKey, type Context } from '@opentelemetry/api';
import { IncomingOperation } from '../core/incoming-operation.js';
import { Operation } from '../core/operation.js';
import { followTracingChannel, type ChannelCall } from '../core/tracing-channel.js';
import { startEvent, startExecution } from './channel-calls.js';
import {
  documentErrors,
  executedOperation,
  isSchemaOfNest,
  type ExecuteMessage,
  type ResolveMessage,
  type RootMessage,
} from './channel-messages.js';
import { ATTR_FIELD_PATH, cutPath } from './field-span.js';
import { isDescribed, recordErrors } from './served-operation.js';
import type { ResolverTracing } from './trace-resolvers.js';

/** Returns how operations are traced now. Undefined while no application traces them. */
type CurrentTracing = () => ResolverTracing | undefined;

/** True in the context of an execution whose resolvers have spans. */
const RESOLVERS = createContextKey('nestjs-tracing GraphQL resolvers');

const MAY_END_AT_ONCE = { mayEndAtOnce: true };
const DOCUMENT = { isLeaf: true, mayEndAtOnce: true };

/** Apollo's codes for a document that is rejected. */
const PARSE_FAILED = 'GRAPHQL_PARSE_FAILED';
const VALIDATION_FAILED = 'GRAPHQL_VALIDATION_FAILED';

/**
 * Follows the diagnostics channels of graphql, which has them from version 17 on, until the returned function is called. They show the
 * operations of servers that Nest's drivers do not know, and those that the application executes itself.
 */
export function followOperations(current: CurrentTracing): () => void {
  const execute = (message: ExecuteMessage, caller: Context) => {
    const tracing = current();
    if (!tracing) return undefined;
    const isOfNest = isSchemaOfNest(message.schema, tracing.fields);
    const call = startExecution(executedOperation(message), caller, tracing, isOfNest);
    return tracing.resolvers && !isOfNest ? withResolvers(call, caller) : call;
  };
  const undos = [
    followTracingChannel('graphql:execute', execute, MAY_END_AT_ONCE),
    followTracingChannel('graphql:subscribe', execute, MAY_END_AT_ONCE),
    followTracingChannel(
      'graphql:execute:rootSelectionSet',
      ({ operation }: RootMessage, caller) => {
        const tracing = current();
        return tracing && startEvent(operation, caller, tracing);
      },
      MAY_END_AT_ONCE,
    ),
    followTracingChannel('graphql:parse', (_message, caller) => current() && watchDocument(caller), DOCUMENT),
    followTracingChannel('graphql:validate', (_message, caller) => current() && watchDocument(caller), DOCUMENT),
  ];
  return () => {
    for (const undo of undos) undo();
  };
}

/** Records that the document of a request is rejected. */
function watchDocument(caller: Context): ChannelCall | undefined {
  const incoming = IncomingOperation.in(caller);
  if (!incoming?.isRecording || isDescribed(incoming)) return undefined;
  return {
    succeed(result) {
      // Parsing returns a document, and validation a list of errors.
      if (Array.isArray(result)) recordErrors(incoming, documentErrors(VALIDATION_FAILED, result.length));
    },
    fail: () => recordErrors(incoming, documentErrors(PARSE_FAILED, 1)),
  };
}

/**
 * Gives each call of a resolver a span, in schemas that Nest does not know, until the returned function is called. Nest itself adds a
 * resolver to each property.
 */
export function followResolvers(): () => void {
  return followTracingChannel(
    'graphql:resolve',
    ({ fieldName, fieldPath, isDefaultResolver, parentType }: ResolveMessage, caller) => {
      if (isDefaultResolver || caller.getValue(RESOLVERS) !== true) return undefined;
      if (Operation.in(caller)?.isRecording !== true) return undefined;
      const attributes = { [ATTR_FIELD_PATH]: cutPath(fieldPath.split('.')) };
      return new FieldCall(Operation.start(`${parentType}.${fieldName}`, { attributes }));
    },
    MAY_END_AT_ONCE,
  );
}

/** Returns a call in whose context resolvers have spans. */
function withResolvers(call: ChannelCall | undefined, caller: Context): ChannelCall {
  return {
    context: (call?.context ?? caller).setValue(RESOLVERS, true),
    succeed: (result) => call?.succeed(result),
    fail: (thrown) => call?.fail(thrown),
  };
}

class FieldCall implements ChannelCall {
  constructor(private readonly operation: Operation) {}

  get context(): Context {
    return this.operation.context;
  }

  succeed(): void {
    this.operation.end();
  }

  fail(thrown: unknown): void {
    this.operation.fail(thrown);
    this.operation.end();
  }
}
