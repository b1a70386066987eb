import { callSafely } from '../../core/diagnostics.js';
import type { MessageClient } from './message-client.js';
import { traceMessageClient, type ClientSettings } from './trace-message-client.js';

/** A client that is instrumented. */
interface TracedClient {
  /** The applications that have found it. The settings of the last one apply. */
  readonly owners: ClientSettings[];
  undo: () => void;
}

const clients = new WeakMap<MessageClient, TracedClient>();

/** The clients that one application has found. */
export class TracedClients {
  readonly #found = new Set<MessageClient>();

  constructor(private readonly settings: ClientSettings) {}

  /** Instruments a client for the application. Idempotent. */
  add(client: MessageClient): void {
    if (this.#found.has(client)) return;
    this.#found.add(client);
    const traced = clients.get(client);
    if (traced) {
      traced.owners.push(this.settings);
      return;
    }
    const owners = [this.settings];
    const undo = callSafely('Tracing a client', () => traceMessageClient(client, () => owners.at(-1)));
    if (undo) clients.set(client, { owners, undo });
  }

  /** Ends the use of the clients by the application. A client is as it was if no other application uses it. */
  release(): void {
    for (const client of this.#found) {
      const traced = clients.get(client);
      if (!traced) continue;
      const index = traced.owners.indexOf(this.settings);
      if (index !== -1) traced.owners.splice(index, 1);
      if (traced.owners.length > 0) continue;
      clients.delete(client);
      callSafely('Undoing the instrumentation of a client', traced.undo);
    }
    this.#found.clear();
  }
}
