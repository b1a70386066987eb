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

/** What the server is to blame for; with the other codes it has told the caller what was wrong with the call. */
const SERVER_ERRORS = new Set<string>([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);

/** The name of a status code, as `rpc.status_code` has it; the number of one that is not known. */
export function statusName(code: number): string {
  return NAMES[code] ?? String(code);
}

/** Whether a call that ends so has failed, in the eyes of that side. */
export function isError(code: number, side: 'server' | 'client'): boolean {
  return side === 'client' ? code !== OK : SERVER_ERRORS.has(statusName(code));
}
