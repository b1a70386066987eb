/** The headers of a message, or of the configuration that a message is made of. */
export interface Headers {
  header(name: string): string | string[] | undefined;
  setHeader(name: string, value: string): void;
  /**
   * Takes out the headers of the names in `remove`, however often and in whichever case they are there, and adds `add`.
   * Returns false, and changes nothing, where the head can no longer be changed.
   */
  replaceHeaders(remove: readonly string[], add: Readonly<Record<string, string>>): boolean;
}

/** An outgoing HTTP request of whichever client, before it is on its way. */
export interface OutgoingMessage extends Headers {
  readonly method: string;
  /** What is asked for, as it is on the wire: credentials and secrets included. */
  readonly url: string;
  /** Where the request is sent to: scheme, host and port, without a path. A proxy is asked for a URL of another origin. */
  readonly origin: string;
  /** True where the port cannot be learnt, so that `origin` lacks it. */
  readonly hasUnknownPort?: boolean;
  /** The socket it goes through, where that is a file and not a host. */
  readonly socketPath?: string | undefined;
}

/** The answer to an outgoing request, as far as it has come. */
export interface IncomingAnswer {
  readonly statusCode: number | undefined;
  header(name: string): string | string[] | undefined;
}
