import { types } from 'node:util';
import type { Attributes } from '@opentelemetry/api';
import { cutText } from '../core/cut-text.js';
import { isObject } from '../core/is-object.js';

/* The semantic conventions have no attributes for the errors of an operation. */
const ATTR_ERROR_COUNT = 'graphql.error.count';
const ATTR_ERROR_CODES = 'graphql.error.codes';

/** The number of different codes that are recorded, and the number of characters of each. The application, or a client, may invent them. */
const MAX_CODES = 16;
const MAX_CODE = 64;

/** The code of an error that is no decision of the application, but a failure. Apollo's name for it. */
const INTERNAL = 'INTERNAL_SERVER_ERROR';

/** The members of an error in the result of an operation. */
export interface ResultError {
  readonly extensions?: { readonly code?: unknown } | undefined;
  readonly path?: readonly unknown[] | undefined;
  readonly originalError?: unknown;
}

/** An error in the result of an operation, and the exception behind it. */
export interface OperationError {
  /** Empty if it is unknown. */
  readonly code: string;
  /** The exception that a resolver has thrown. Undefined for an error of the request: its message may quote literals of the document. */
  readonly thrown: unknown;
  /** True if the application has failed; false if it rejects what the client wants. */
  readonly isFailure: boolean;
}

/** Reads an error of a result that is formatted for the client: what was thrown is unknown, and only the application gives codes. */
export function readFormattedError({ extensions, path }: ResultError): OperationError {
  const code = extensions?.code;
  // The exceptions of root fields are seen where they are thrown.
  const isFailure = code === undefined && path !== undefined && path.length > 1;
  return { code: typeof code === 'string' ? cutText(code, MAX_CODE) : '', thrown: undefined, isFailure };
}

/** Reads an error of a result. */
export function readError(error: ResultError): OperationError {
  const isOfResolver = error.path !== undefined;
  const thrown = isOfResolver ? exceptionOf(error) : undefined;
  const given = error.extensions?.code;
  const status = httpStatus(thrown);
  const code = typeof given === 'string' && given !== '' ? given : codeOfStatus(status, isOfResolver);
  const isFailure = isOfResolver && (status === undefined ? code === INTERNAL : status >= 500);
  return { code: cutText(code, MAX_CODE), thrown, isFailure };
}

/** Returns the exception behind an error. A gateway has only the answer of a service there, which is no exception. */
function exceptionOf(error: ResultError): unknown {
  return types.isNativeError(error.originalError) ? error.originalError : error;
}

/** True if an exception of a resolver is a failure of the application. */
export function isFailure(thrown: unknown): boolean {
  return readError({ path: [], originalError: thrown, ...extensionsOf(thrown) }).isFailure;
}

/** Returns the attributes of the errors of one operation. */
export function errorAttributes(errors: readonly OperationError[]): Attributes {
  const codes = [...new Set(errors.map(({ code }) => code).filter(Boolean))].slice(0, MAX_CODES);
  return { [ATTR_ERROR_COUNT]: errors.length, ...(codes.length > 0 && { [ATTR_ERROR_CODES]: codes }) };
}

function extensionsOf(thrown: unknown): Pick<ResultError, 'extensions'> {
  const { extensions } = (isObject(thrown) ? thrown : {}) as ResultError;
  return isObject(extensions) ? { extensions } : {};
}

/** Returns the status of one of Nest's HTTP exceptions. */
function httpStatus(thrown: unknown): number | undefined {
  if (!isObject(thrown) || !('getStatus' in thrown) || typeof thrown.getStatus !== 'function') return undefined;
  const status: unknown = thrown.getStatus();
  return typeof status === 'number' ? status : undefined;
}

/** The codes that Nest's driver for Apollo gives to HTTP exceptions. */
const CODES = new Map([
  [400, 'BAD_REQUEST'],
  [401, 'UNAUTHENTICATED'],
  [403, 'FORBIDDEN'],
  [422, 'BAD_USER_INPUT'],
]);

function codeOfStatus(status: number | undefined, isOfResolver: boolean): string {
  if (!isOfResolver) return 'BAD_REQUEST';
  return (status !== undefined && CODES.get(status)) || INTERNAL;
}
