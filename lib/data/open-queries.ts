/** A query that has a span and no result. */
export interface OpenQuery {
  /** Ends the span of the query, whose result comes too late. */
  abandon(): void;
  /** Leaves the query to another application. */
  handOver(heir: OpenQueries): void;
}

/** The queries of an application that have no result, so that their spans end before the application does. */
export class OpenQueries {
  readonly #queries = new Set<OpenQuery>();

  add(query: OpenQuery): void {
    this.#queries.add(query);
  }

  delete(query: OpenQuery): void {
    this.#queries.delete(query);
  }

  /**
   * Ends the queries, because the application shuts down. A query of a library with diagnostics channels may be of another application, which
   * lives on: so that one takes over all of them.
   */
  drain(heir: OpenQueries | undefined): void {
    for (const query of [...this.#queries]) {
      if (heir) query.handOver(heir);
      else query.abandon();
    }
    this.#queries.clear();
  }
}
