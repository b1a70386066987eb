import { guarded } from '../core/diagnostics.js';

/** Notes something about a call on its span. What fails is reported, and the call goes on without the note. */
export function observe(note: () => void): void {
  guarded('Tracing a gRPC call', note);
}
