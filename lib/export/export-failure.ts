import { cutText } from '../core/cut-text.js';
import { describeError } from '../core/diagnostics.js';
import { errorType } from '../core/exception.js';
import { FAILED, SUCCESS, type ExportResult } from './export-result.js';

/** The maximal length of the kind of a failure, which is kept and becomes an attribute of metrics. */
const MAX_KIND = 128;

/** The kind of failures without a kind of their own. */
export const OTHER_KINDS = '_OTHER';

/** The error of an export for which the exporter did not call back. */
export class NoAnswer extends Error {}

/** Returns the failure in the result of an exporter, which may be any value. Undefined if the backend has accepted the spans. */
export function failureIn(result: unknown): { readonly error: unknown } | undefined {
  try {
    const { code, error } = (result ?? {}) as Partial<ExportResult>;
    if (code === SUCCESS) return undefined;
    if (code === FAILED || error !== undefined) return { error };
  } catch (error) {
    return { error };
  }
  return { error: new Error('the exporter called back without a result') };
}

/** Returns the status or code of an exporter's error, or else its class. */
export function failureKind(error: unknown): string {
  try {
    const { code } = (error ?? {}) as { code?: unknown };
    if (typeof code === 'number' || (typeof code === 'string' && code !== '')) return cutText(String(code), MAX_KIND);
  } catch {
    // A getter of the error has thrown. The class of the error says enough.
  }
  return error === undefined ? OTHER_KINDS : cutText(errorType(error), MAX_KIND);
}

/** Describes the error of an export for a warning. Never throws. */
export function describeFailure(error: unknown): string {
  if (error === undefined) return 'the exporter gives no reason';
  try {
    // A connection to a host name with several addresses fails with an error for each, under one without a message.
    if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(describeError).join(', ');
  } catch {
    // The list of errors is not a list.
  }
  return describeError(error);
}
