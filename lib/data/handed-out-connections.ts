/**
 * The connections that a diagnostics channel has handed out, and that are instrumented until the subscription ends. They are held weakly: the
 * channel does not tell when a connection is closed.
 */
export class HandedOutConnections {
  readonly #undos = new WeakMap<object, () => void>();
  readonly #connections = new Set<WeakRef<object>>();
  readonly #collected = new FinalizationRegistry<WeakRef<object>>((connection) => this.#connections.delete(connection));

  /**
   * Adds a connection. This runs each time that it is handed out.
   *
   * @param instrument called for a new connection. It returns the function that undoes it, or undefined if it is instrumented already
   */
  add(connection: object, instrument: () => (() => void) | undefined): void {
    if (this.#undos.has(connection)) return;
    const undo = instrument();
    if (!undo) return;
    const reference = new WeakRef(connection);
    this.#undos.set(connection, undo);
    this.#connections.add(reference);
    this.#collected.register(connection, reference);
  }

  /** Ends the instrumentation of all of them. */
  release(): void {
    for (const reference of this.#connections) {
      const connection = reference.deref();
      if (connection) this.#undos.get(connection)?.();
    }
    this.#connections.clear();
  }
}
