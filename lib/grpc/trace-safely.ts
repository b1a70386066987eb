import { callSafely } from '../core/diagnostics.js';

/** Calls code that traces a gRPC call. An error of it is reported, and the call continues. */
export function traceSafely(trace: () => void): void {
  callSafely('Tracing a gRPC call', trace);
}
