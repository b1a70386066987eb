/** The members of the messages of graphql's diagnostics channels that are read here. The package itself is never imported. */
import type { ChannelMessage } from '../core/tracing-channel.js';
import { isObject } from '../core/is-object.js';
import { findOperation, type GraphQLDocument, type OperationNode } from './document.js';
import { readError, type OperationError, type ResultError } from './errors.js';

export interface Schema {
  getQueryType(): { readonly name: string; getFields(): object } | null | undefined;
}

/** The message of `graphql:execute` and `graphql:subscribe`. */
export interface ExecuteMessage extends ChannelMessage {
  readonly schema: Schema;
  readonly document: GraphQLDocument;
  /** The name that the caller has asked for, else that of the only operation. */
  readonly operationName?: string | undefined;
}

/** The message of `graphql:execute:rootSelectionSet`, which is also sent for each event of a subscription. */
export interface RootMessage extends ChannelMessage {
  readonly operation: OperationNode;
}

/** The message of `graphql:resolve`. */
export interface ResolveMessage extends ChannelMessage {
  readonly fieldName: string;
  readonly parentType: string;
  /** The path of the field with the indices of lists, such as `users.0.posts`. */
  readonly fieldPath: string;
  readonly isDefaultResolver: boolean;
}

const schemasOfNest = new WeakMap<Schema, boolean>();

/** True if Nest has found resolver methods for queries of a schema. */
export function isSchemaOfNest(schema: Schema, fields: ReadonlySet<string>): boolean {
  const known = schemasOfNest.get(schema);
  if (known !== undefined) return known;
  const queries = schema.getQueryType();
  const isOfNest = Object.keys(queries?.getFields() ?? {}).some((field) => fields.has(`${queries?.name}.${field}`));
  schemasOfNest.set(schema, isOfNest);
  return isOfNest;
}

/** Returns the operation that is executed. Undefined if the document has no such operation. */
export function executedOperation({ document, operationName }: ExecuteMessage): OperationNode | undefined {
  return findOperation(document, operationName);
}

/** Returns the errors of the result of an execution, which may be delivered in parts. */
export function executionErrors(result: unknown): readonly OperationError[] {
  if (!isObject(result)) return [];
  const { errors, initialResult } = result as { errors?: unknown; initialResult?: unknown };
  if (Array.isArray(errors)) return (errors as ResultError[]).map((error) => readError(error));
  return initialResult === undefined ? [] : executionErrors(initialResult);
}

/** The part of a result that is delivered later, by `@defer` or `@stream`. */
interface LaterPart {
  readonly errors?: unknown;
  /** The parts of the data, each with errors of its own. */
  readonly incremental?: unknown;
  /** The fragments and lists that are complete, or have failed as a whole. */
  readonly completed?: unknown;
}

/** Returns the parts of the result of an execution that are delivered later. Undefined if it is delivered at once. */
export function laterParts(result: unknown): AsyncIterator<LaterPart> | undefined {
  const { subsequentResults: parts } = (isObject(result) ? result : {}) as { subsequentResults?: unknown };
  return isObject(parts) && typeof Reflect.get(parts, 'next') === 'function'
    ? (parts as AsyncIterator<LaterPart>)
    : undefined;
}

/** Returns the errors of a part that is delivered later. */
export function laterErrors({ completed, errors, incremental }: LaterPart): readonly OperationError[] {
  const pieces = [incremental, completed].flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []));
  return [{ errors }, ...pieces].flatMap((piece) => executionErrors(piece));
}

/** Returns the errors of a document that was rejected. The messages of such errors quote it, and are left out. */
export function documentErrors(code: string, count: number): readonly OperationError[] {
  return Array.from({ length: count }, () => ({ code, thrown: undefined, isFailure: false }));
}
