/*
 * What grpc-js hands to interceptors, as far as tracing uses it. Declared here, because applications without gRPC do not
 * have the package and its types.
 */

/** Metadata of either direction. */
export interface Metadata {
  get(key: string): readonly (string | Buffer)[];
  set(key: string, value: string): void;
  remove(key: string): void;
  getMap(): Record<string, unknown>;
  clone(): Metadata;
}

export interface Status {
  readonly code?: number;
  readonly details?: string;
  readonly metadata?: Metadata | null;
}

/** The method that a call is for. */
export interface MethodDefinition {
  /** Such as `/shop.Orders/Place`. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/** What a server tells its handler of a call. */
export interface ServerListener {
  onReceiveMetadata(metadata: Metadata): void;
  onReceiveMessage(message: unknown): void;
  onReceiveHalfClose(): void;
  onCancel(): void;
}

/** A call that a server has received. */
export interface ServerInterceptingCall {
  start(listener: ServerListener): void;
  sendMetadata(metadata: Metadata): void;
  sendMessage(message: unknown, callback: () => void): void;
  sendStatus(status: Status): void;
  getPeer(): string;
  getDeadline(): Date | number;
  /** Since 1.11. */
  getHost?(): string;
  /** Since 1.14. */
  getConnectionInfo?(): { readonly remoteAddress?: string; readonly remotePort?: number };
  /** Whether the caller is gone; not a public member. */
  checkCancelled?(): boolean;
  /** The stream of HTTP/2 behind the call; not a public member. */
  readonly stream?: ServerStream;
}

/** The stream of HTTP/2 on which a call is served, as far as it tells what became of the answer. */
export interface ServerStream {
  readonly headersSent: boolean;
  /** Set when the status has been handed to HTTP/2. */
  readonly sentTrailers?: object;
  readonly closed: boolean;
  readonly destroyed: boolean;
  /** The error code of HTTP/2 with which the stream was closed; 0 if there was none. */
  readonly rstCode: number;
  once(event: 'wantTrailers' | 'close', listener: () => void): unknown;
}

export type ServerInterceptor = (definition: MethodDefinition, call: ServerInterceptingCall) => ServerInterceptingCall;

/** What a client tells the application of a call. */
export interface ClientListener {
  onReceiveMetadata?(metadata: Metadata): void;
  onReceiveMessage?(message: unknown): void;
  onReceiveStatus?(status: Status): void;
}

/** How one message is sent. */
export interface MessageContext {
  /** Called when there is room for the next. */
  readonly callback?: (error?: Error) => void;
}

/** A call that a client makes. */
export interface ClientInterceptingCall {
  start(metadata: Metadata, listener?: ClientListener): void;
  sendMessageWithContext(context: MessageContext, message: unknown): void;
  cancelWithStatus(code: number, details: string): void;
  /** The server's address; until a connection is chosen, the target of the channel. */
  getPeer?(): string;
}

export interface ClientCallOptions {
  readonly method_definition: MethodDefinition;
}

export type ClientInterceptor = (
  options: ClientCallOptions,
  nextCall: (options: ClientCallOptions) => ClientInterceptingCall,
) => ClientInterceptingCall;

/** Where interceptors are given: to a client, or to one of its calls. */
export interface InterceptorOptions {
  readonly interceptors?: readonly ClientInterceptor[];
  readonly interceptor_providers?: readonly ((definition: MethodDefinition) => ClientInterceptor | undefined)[];
}

/** What a client knows of a call that it is about to make. */
export interface CallProperties {
  readonly callOptions: InterceptorOptions | undefined;
}

/** The options of a client, as far as they concern interceptors. */
export interface ClientOptions extends InterceptorOptions {
  readonly callInvocationTransformer?: (properties: CallProperties) => CallProperties;
}
