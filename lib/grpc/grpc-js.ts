/*
 * The members of grpc-js that are used here. They are declared here, because applications without gRPC do not have the package and its
 * types.
 */

/** The metadata of a request or of a response. */
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

/** The definition of a method. */
export interface MethodDefinition {
  /** The path of the method, such as `/shop.Orders/Place`. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/** The listener through which a server passes a call to its handler. */
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
  /** Available since grpc-js 1.11. */
  getHost?(): string;
  /** Available since grpc-js 1.14. */
  getConnectionInfo?(): { readonly remoteAddress?: string; readonly remotePort?: number };
  /** Checks whether the client has cancelled the call. Not a public member. */
  checkCancelled?(): boolean;
  /** The HTTP/2 stream of the call. Not a public member. */
  readonly stream?: ServerStream;
}

/** The HTTP/2 stream on which a call is served, with the members that show whether the response was sent. */
export interface ServerStream {
  readonly headersSent: boolean;
  /** Set when the status has been passed to HTTP/2. */
  readonly sentTrailers?: object;
  readonly closed: boolean;
  readonly destroyed: boolean;
  /** The HTTP/2 error code with which the stream was closed; 0 if there was none. */
  readonly rstCode: number;
  once(event: 'wantTrailers' | 'close', listener: () => void): unknown;
}

export type ServerInterceptor = (definition: MethodDefinition, call: ServerInterceptingCall) => ServerInterceptingCall;

/** The listener through which a client passes the response of a call to the application. */
export interface ClientListener {
  onReceiveMetadata?(metadata: Metadata): void;
  onReceiveMessage?(message: unknown): void;
  onReceiveStatus?(status: Status): void;
}

/** The options of sending one message. */
export interface MessageContext {
  /** Called when the next message can be sent. */
  readonly callback?: (error?: Error) => void;
}

/** A call that a client starts. */
export interface ClientInterceptingCall {
  start(metadata: Metadata, listener?: ClientListener): void;
  sendMessageWithContext(context: MessageContext, message: unknown): void;
  cancelWithStatus(code: number, details: string): void;
  /** Returns the address of the server; until a connection is chosen, the target of the channel. */
  getPeer?(): string;
}

export interface ClientCallOptions {
  readonly method_definition: MethodDefinition;
  /** The credentials of this call alone. */
  readonly credentials?: unknown;
}

export type ClientInterceptor = (
  options: ClientCallOptions,
  nextCall: (options: ClientCallOptions) => ClientInterceptingCall,
) => ClientInterceptingCall;

/** The options of a client, or of one call, that contain interceptors. */
export interface InterceptorOptions {
  readonly interceptors?: readonly ClientInterceptor[];
  readonly interceptor_providers?: readonly ((definition: MethodDefinition) => ClientInterceptor | undefined)[];
}

/** The properties of a call that a client is about to create. */
export interface CallProperties {
  readonly callOptions: InterceptorOptions | undefined;
}

/** The options of a client that concern interceptors. */
export interface ClientOptions extends InterceptorOptions {
  readonly callInvocationTransformer?: (properties: CallProperties) => CallProperties;
}
