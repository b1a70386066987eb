import { cutText } from '../core/cut-text.js';

/** The number of characters of an operation's name in an attribute. */
const MAX_NAME = 128;

/** The members of an operation of a parsed document that are read here. Nothing else of a document is recorded: it may have literals. */
export interface OperationNode {
  readonly kind?: unknown;
  /** `query`, `mutation` or `subscription`. */
  readonly operation: string;
  readonly name?: { readonly value: string } | undefined;
}

export interface GraphQLDocument {
  readonly definitions: readonly { readonly kind?: unknown }[];
}

/** The members of the fourth argument of a resolver that are read here. */
export interface ResolveInfo {
  readonly fieldName: string;
  readonly operation: OperationNode;
  readonly parentType: { readonly name: string };
  /** An object that each execution of an operation has for itself. */
  readonly variableValues?: unknown;
  readonly path?: FieldPath | undefined;
}

export interface FieldPath {
  readonly prev: FieldPath | undefined;
  readonly key: string | number;
}

/** Returns the name of an operation, which the client has chosen. */
export function operationNameOf({ name }: OperationNode): string | undefined {
  return name && cutText(name.value, MAX_NAME);
}

/** Finds the operation that is executed. A document with one operation needs no name. */
export function findOperation(document: GraphQLDocument, name: unknown): OperationNode | undefined {
  const operations = document.definitions.filter(({ kind }) => kind === 'OperationDefinition') as OperationNode[];
  if (typeof name !== 'string' || name === '') return operations.length === 1 ? operations[0] : undefined;
  return operations.find((operation) => operation.name?.value === name);
}

/** True if this is the fourth argument of a resolver. */
export function isResolveInfo(value: unknown): value is ResolveInfo {
  if (typeof value !== 'object' || value === null) return false;
  const { fieldName, operation, parentType } = value as Partial<Record<keyof ResolveInfo, unknown>>;
  return typeof fieldName === 'string' && typeof operation === 'object' && typeof parentType === 'object';
}
