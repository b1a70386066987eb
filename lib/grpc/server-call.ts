import { setImmediate } from 'node:timers';
import { ROOT_CONTEXT, type Attributes } from '@opentelemetry/api';
import { ATTR_CLIENT_ADDRESS } from '@opentelemetry/semantic-conventions';
import { evaluatePredicate, callSafely } from '../core/diagnostics.js';
import { IncomingOperation, type IncomingExchange } from '../core/incoming-operation.js';
import type { Operation } from '../core/operation.js';
import type { OperationMeter } from '../core/operation-meter.js';
import { isCallerTrusted, resolvePlacement } from '../core/span-placement.js';
import type { ResolvedGrpc } from '../options/grpc.js';
import { parseAddress, serverAddress, type Address } from './address.js';
import { callAttributes, metadataAttributes, methodName, peerAttributes, setCallStatus } from './call-attributes.js';
import type {
  Metadata,
  MethodDefinition,
  ServerInterceptingCall,
  ServerListener,
  ServerStream,
  Status,
} from './grpc-js.js';
import { traceResponse } from './trace-response.js';
import { traceSafely } from './trace-safely.js';
import { MessageEvents } from './message-events.js';
import { activeCallAttributes, endedCallAttributes } from './metrics.js';
import { metadataGetter } from './metadata-carrier.js';
import type { OpenCalls } from './open-calls.js';
import { CANCELLED, DEADLINE_EXCEEDED } from './status-code.js';

/**
 * A client whose deadline passes cancels the call, with the same signal as for any other reason. The server counts the deadline from when
 * it receives the call, which is later in a busy process. A cancellation that comes this shortly before the server's own deadline therefore
 * counts as the passing of the client's deadline. The slack is this many milliseconds, or this part of the time that the client has given,
 * whichever is longer.
 */
const DEADLINE_SLACK = 50;
const DEADLINE_SLACK_RATIO = 0.1;

/** The status that grpc-js reports for a passed deadline, on the side that notices it first. */
const DEADLINE_PASSED: Status = { code: DEADLINE_EXCEEDED, details: 'Deadline exceeded' };
const CANCELLED_BY_CLIENT: Status = { code: CANCELLED };

/** HTTP/2's error code CANCEL: the stream is no longer needed. */
const HTTP2_CANCEL = 8;

export interface ServerTracingOptions extends ResolvedGrpc {
  /** Undefined if the application measures nothing. */
  readonly meter: OperationMeter | undefined;
}

/** One incoming gRPC call, from its metadata to its status. */
export class ServerCall implements IncomingExchange<Status> {
  private readonly method: string;
  private readonly receivedAt = Date.now();
  private readonly incoming: IncomingOperation<Status>;
  private readonly peerAtStart: string | undefined;
  private readonly events: MessageEvents | undefined;
  /** The status that was passed to grpc-js, until it is known whether it was sent. */
  private pendingStatus: Status | undefined;
  private isFlushing = false;

  /** Starts the span of a call. Returns undefined if that fails: the call then continues without a span. */
  static start(
    definition: MethodDefinition,
    call: ServerInterceptingCall,
    metadata: Metadata,
    options: ServerTracingOptions,
    openCalls: OpenCalls,
  ): ServerCall | undefined {
    return callSafely('Tracing a gRPC call', () => new ServerCall(definition, call, metadata, options, openCalls));
  }

  private constructor(
    private readonly definition: MethodDefinition,
    private readonly call: ServerInterceptingCall,
    private readonly metadata: Metadata,
    private readonly options: ServerTracingOptions,
    private readonly openCalls: OpenCalls,
  ) {
    this.method = methodName(definition.path);
    const isIgnored = this.isIgnored();
    this.incoming = isIgnored ? IncomingOperation.ignore(ROOT_CONTEXT, options.meter) : this.start();
    const { incoming, method } = this;
    const { responseTraceId: key } = options;
    if (key && !isIgnored) traceSafely(() => traceResponse(call, metadata, incoming.span.spanContext(), key));
    if (incoming.isOver) return;
    if (incoming.isRecording) {
      this.peerAtStart = call.getConnectionInfo ? undefined : this.peerName();
      if (options.responseMetadata.length > 0) this.watchMetadata();
      if (options.messageEvents) this.events = MessageEvents.of(definition, incoming.span);
      if (this.events) this.watchMessages(this.events);
    }
    this.watchStatus();
    incoming.measure(() => activeCallAttributes(method, definition));
    openCalls.add(this);
  }

  private isIgnored(): boolean {
    const { metadata, method, options } = this;
    return evaluatePredicate('grpc.ignore', () => options.ignore({ method, side: 'server', metadata })) ?? false;
  }

  private start(): IncomingOperation<Status> {
    const { metadata, method, options } = this;
    const isTrusted = isCallerTrusted('grpc.trustIncoming', options.trustIncoming, {
      method,
      side: 'server',
      metadata,
    });
    // The parent is not the active context: a server that was started inside a span would have every call below that span.
    const placement = resolvePlacement(ROOT_CONTEXT, metadata, metadataGetter, isTrusted);
    return IncomingOperation.start(method, this, {
      attributes: callAttributes(method),
      meter: options.meter,
      placement,
    });
  }

  // grpc-js itself may also send a status, for a message that it cannot parse or for a deadline. Every status is sent by this method.
  private watchStatus(): void {
    const { call } = this;
    const sendStatus = call.sendStatus.bind(call);
    call.sendStatus = (status) => {
      const isCancelled = call.checkCancelled?.() ?? false;
      const isAfterHeaders = call.stream?.headersSent ?? false;
      sendStatus(status);
      if (!isCancelled) traceSafely(() => this.handleStatus(status, isAfterHeaders));
    };
  }

  private watchMetadata(): void {
    const { call, incoming, options } = this;
    const sendMetadata = call.sendMetadata.bind(call);
    call.sendMetadata = (metadata) => {
      traceSafely(() =>
        incoming.describe('grpc metadata', () =>
          metadataAttributes(options.responseMetadata, 'response.header', metadata),
        ),
      );
      sendMetadata(metadata);
    };
  }

  private watchMessages(events: MessageEvents): void {
    const { call } = this;
    const sendMessage = call.sendMessage.bind(call);
    call.sendMessage = (message, callback) => {
      traceSafely(() => events.recordSent());
      sendMessage(message, callback);
    };
  }

  /** Returns a listener that continues the call in the context of its span. */
  bindListener(listener: ServerListener): ServerListener {
    const { events, incoming } = this;
    return {
      onReceiveMetadata: (metadata) => incoming.runInHandler(() => listener.onReceiveMetadata(metadata)),
      onReceiveMessage: (message) => {
        if (events) traceSafely(() => events.recordReceived());
        incoming.runInHandler(() => listener.onReceiveMessage(message));
      },
      onReceiveHalfClose: () => incoming.runInHandler(() => listener.onReceiveHalfClose()),
      onCancel: () => {
        incoming.runInHandler(() => listener.onCancel());
        traceSafely(() => this.handleCancel());
      },
    };
  }

  /**
   * Handles a status that was passed to grpc-js. A client that cancels a stream of requests also ends it, and both arrive at about the same
   * time; the handler may then respond, and its status is never sent. So the span ends when the status has been sent.
   */
  private handleStatus(status: Status, isAfterHeaders: boolean): void {
    const { stream } = this.call;
    if (!stream) return this.end(status);
    if (this.pendingStatus) return;
    this.pendingStatus = status;
    // After headers, `onCancel` follows when the trailers are passed to HTTP/2.
    if (!isAfterHeaders) this.endWithSentStatus(stream, status);
  }

  /** Handles `onCancel`, which grpc-js calls for every call: when its status was sent, or when its client has disconnected. */
  private handleCancel(): void {
    const { call, incoming, isFlushing, pendingStatus } = this;
    if (incoming.isOver || isFlushing) return;
    const { stream } = call;
    if (!pendingStatus || !stream) return this.end(this.cancellation());
    if (isFinished(stream)) return this.endAfterTrailers(stream, pendingStatus);
    // Older releases call it when the status is passed over, before the trailers are.
    const endCall = () => traceSafely(() => this.endAfterTrailers(stream, pendingStatus));
    stream.once('wantTrailers', endCall);
    stream.once('close', endCall);
  }

  private endAfterTrailers(stream: ServerStream, status: Status): void {
    if (stream.sentTrailers) this.endWithSentStatus(stream, status);
    else this.end(this.cancellation());
  }

  private endWithSentStatus(stream: ServerStream, status: Status): void {
    // Only a stream of requests is ended by a cancellation, so that the handler may respond to the cancellation.
    if (!this.definition.requestStream) return this.end(status);
    if (this.isFlushing) return;
    this.isFlushing = true;
    afterFlush(stream, () =>
      traceSafely(() => this.end(stream.rstCode === HTTP2_CANCEL ? this.cancellation() : status)),
    );
  }

  /** Makes grpc-js check whether the client has cancelled the call. */
  checkCancelled(): void {
    traceSafely(() => this.call.checkCancelled?.());
  }

  /** Ends the call when the application shuts down, since grpc-js will not report its end any more. */
  endAsCancelled(): void {
    traceSafely(() => this.end(this.pendingStatus ?? CANCELLED_BY_CLIENT));
  }

  private end(status: Status): void {
    this.openCalls.delete(this);
    this.incoming.end(status);
  }

  describeEnd(operation: Operation, status: Status): void {
    traceSafely(() => operation.describe('grpc attributes', () => this.attributes(status)));
    const recordedStatus = this.incoming.areDetailsWithheld ? { ...status, details: '' } : status;
    setCallStatus(operation, recordedStatus, 'server');
  }

  measuredAttributes(status: Status): Attributes {
    return endedCallAttributes(this.method, status, 'server');
  }

  private attributes({ metadata: trailer }: Status): Attributes {
    const { call, metadata, options } = this;
    const host = callSafely('getHost() of a gRPC call', () => call.getHost?.());
    const peer = this.peer();
    return {
      ...(host !== undefined && serverAddress(host)),
      ...(peer && { [ATTR_CLIENT_ADDRESS]: peer.address }),
      ...peerAttributes(peer),
      ...metadataAttributes(options.requestMetadata, 'request.header', metadata),
      ...(trailer && metadataAttributes(options.responseMetadata, 'response.trailer', trailer)),
    };
  }

  private peer(): Address | undefined {
    const { call, peerAtStart } = this;
    if (peerAtStart !== undefined) return parseAddress(peerAtStart);
    // A closed connection no longer has the address of its peer, so it has been read at the start if grpc-js has only getPeer().
    const { remoteAddress, remotePort } =
      callSafely('getConnectionInfo() of a gRPC call', () => call.getConnectionInfo?.()) ?? {};
    if (remoteAddress !== undefined) return { address: remoteAddress, port: remotePort };
    const name = this.peerName();
    return name === undefined ? undefined : parseAddress(name);
  }

  private peerName(): string | undefined {
    return callSafely('getPeer() of a gRPC call', () => this.call.getPeer());
  }

  private cancellation(): Status {
    return this.hasDeadlinePassed() ? DEADLINE_PASSED : CANCELLED_BY_CLIENT;
  }

  private hasDeadlinePassed(): boolean {
    const deadline = Number(callSafely('getDeadline() of a gRPC call', () => this.call.getDeadline()) ?? Infinity);
    const given = deadline - this.receivedAt;
    const slack = Math.min(Math.max(DEADLINE_SLACK, given * DEADLINE_SLACK_RATIO), given / 2);
    // Without a deadline this compares with NaN, which is false.
    return Date.now() >= deadline - slack;
  }
}

/**
 * Calls `then` after HTTP/2 has written the data that it was given. HTTP/2 writes at the end of a turn of the event loop, also the data that
 * it is given while it writes. Frames that it reads before, such as the reset of a stream, take effect first. A stream that has ended on both
 * sides closes at that time.
 */
function afterFlush(stream: ServerStream, then: () => void): void {
  stream.once('close', then);
  setImmediate(() => setImmediate(then));
}

/** True if nothing more will be sent on a stream. */
function isFinished({ closed, destroyed, sentTrailers }: ServerStream): boolean {
  return closed || destroyed || sentTrailers !== undefined;
}
