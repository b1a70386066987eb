/** The headers of a message, or of the configuration that the message will be created from. */
export interface Headers {
  header(name: string): string | string[] | undefined;
  setHeader(name: string, value: string): void;
  /**
   * Removes all headers with the names in `remove`, in any case, and adds those in `add`. Returns false, and changes nothing,
   * if the head can no longer be changed.
   */
  replaceHeaders(remove: readonly string[], add: Readonly<Record<string, string>>): boolean;
}

/** An outgoing HTTP request of any client, before it is sent. */
export interface OutgoingMessage extends Headers {
  readonly method: string;
  /** The requested URL as it is sent, credentials and secrets included. */
  readonly url: string;
  /** Scheme, host and port of the server that the request is sent to. With a proxy, the origin of `url` is another one. */
  readonly origin: string;
  /** True if the port is unknown, so that `origin` has none. */
  readonly hasUnknownPort?: boolean;
  /** The path of the Unix socket, if the request is sent over one. */
  readonly socketPath?: string | undefined;
}

/** The response to an outgoing request, as far as it was received. */
export interface IncomingResponse {
  readonly statusCode: number | undefined;
  header(name: string): string | string[] | undefined;
}
