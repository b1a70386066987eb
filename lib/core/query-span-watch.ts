/**
 * Finds out whether a query has a span of its driver: an outer layer, such as a query builder, has one only if not. A driver starts its span
 * before its function returns.
 */
export class QuerySpanWatch {
  /** True if a driver, or another instrumentation of it, has taken over the query. */
  isTaken = false;
  private readonly outer = current;

  constructor() {
    current = this;
  }

  stop(): void {
    current = this.outer;
    if (this.isTaken && current) current.isTaken = true;
  }
}

/** The innermost watch over the code that is running now. */
let current: QuerySpanWatch | undefined;

/** True if an outer layer waits for the span of a driver. */
export function isQuerySpanWatched(): boolean {
  return current !== undefined;
}

/** Reports that a driver, or another instrumentation of it, has taken over the query that is being made. */
export function reportQuerySpan(): void {
  if (current) current.isTaken = true;
}
