import type { Headers } from './propagation.js';

/** An outgoing HTTP request of whichever client, before it is on its way. */
export interface OutgoingMessage extends Headers {
  readonly method: string;
  /** As it is on the wire: credentials and secrets included. */
  readonly url: string;
  /** The socket it goes through, where that is a file and not a host. */
  readonly socketPath?: string | undefined;
}

/** The answer to an outgoing request, as far as it has come. */
export interface IncomingAnswer {
  readonly statusCode: number | undefined;
  header(name: string): string | string[] | undefined;
}
