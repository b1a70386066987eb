/** The status codes of gRPC, by number. */
const NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

export const OK = 0;
export const CANCELLED = 1;
export const UNKNOWN = 2;
export const DEADLINE_EXCEEDED = 4;
export const UNIMPLEMENTED = 12;

/** The codes that mean a failure of the server. With the other codes the server tells the client what is wrong with the call. */
const SERVER_ERRORS = new Set<string>([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);

/** Returns the name of a status code; the number if the code is unknown. */
export function statusName(code: number): string {
  return NAMES[code] ?? String(code);
}

/** True if a status code means that the call has failed, by the semantic conventions for that side. */
export function isErrorCode(code: number, side: 'server' | 'client'): boolean {
  return side === 'client' ? code !== OK : SERVER_ERRORS.has(statusName(code));
}
