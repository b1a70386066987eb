/**
 * The connections that a diagnostics channel has handed out, and that are instrumented until the subscription ends. They are held weakly: the
 * channel does not tell when a connection is closed.
 */
export class HandedOutConnections {
  readonly #undos = new WeakMap<object, () => void>();
  readonly #connections = new Set<WeakRef<object>>();
  readonly #collected = new FinalizationRegistry<WeakRef<object>>((connection) => this.#connections.delete(connection));

  /** @param undo ends the instrumentation. Undefined if the connection is instrumented already */
  add(connection: object, undo: (() => void) | undefined): void {
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
