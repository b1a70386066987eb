import { setImmediate } from 'node:timers';
import { ROOT_CONTEXT, type Attributes } from '@opentelemetry/api';
import { ATTR_CLIENT_ADDRESS } from '@opentelemetry/semantic-conventions';
import { askPredicate, guarded } from '../core/diagnostics.js';
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
import { observe } from './guarded-call.js';
import { MessageEvents } from './message-events.js';
import { activeCallAttributes, endedCallAttributes } from './metrics.js';
import { metadataGetter } from './metadata-carrier.js';
import type { OpenCalls } from './open-calls.js';
import { CANCELLED, DEADLINE_EXCEEDED } from './status-code.js';

/**
 * A caller whose deadline passes cancels the call, and says no more than any other who does. The server counts from when it
 * gets to see the call, which a busy process does later: what comes so shortly before its own deadline is the caller's, and
 * not a change of mind. In milliseconds, or this part of the time that the caller gave, whichever is longer.
 */
const DEADLINE_SLACK = 50;
const DEADLINE_SLACK_RATIO = 0.1;

/** In the words of grpc-js, which only one of the two sides gets to say. */
const LATE: Status = { code: DEADLINE_EXCEEDED, details: 'Deadline exceeded' };
const CANCELLED_BY_CALLER: Status = { code: CANCELLED };

/** HTTP/2's error code CANCEL: a stream that is not needed any more. */
const RESET_BY_CALLER = 8;

export interface ServerTracingOptions extends ResolvedGrpc {
  /** Undefined if nothing is measured. */
  readonly meter: OperationMeter | undefined;
}

/** One incoming gRPC call, from its metadata to its status. */
export class ServerCall implements IncomingExchange<Status> {
  private readonly method: string;
  private readonly receivedAt = Date.now();
  private readonly incoming: IncomingOperation<Status>;
  private readonly peerAtStart: string | undefined;
  private readonly events: MessageEvents | undefined;
  /** The status that was handed to grpc-js, until it is known whether it left the process. */
  private answer: Status | undefined;
  private isFlushing = false;

  /** Starts the span of a call. Returns undefined if that fails: the call then goes on without a span. */
  static start(
    definition: MethodDefinition,
    call: ServerInterceptingCall,
    metadata: Metadata,
    options: ServerTracingOptions,
    open: OpenCalls,
  ): ServerCall | undefined {
    return guarded('Tracing a gRPC call', () => new ServerCall(definition, call, metadata, options, open));
  }

  private constructor(
    private readonly definition: MethodDefinition,
    private readonly call: ServerInterceptingCall,
    private readonly metadata: Metadata,
    private readonly options: ServerTracingOptions,
    private readonly open: OpenCalls,
  ) {
    this.method = methodName(definition.path);
    this.incoming = this.isIgnored() ? IncomingOperation.ignore(ROOT_CONTEXT, options.meter) : this.start();
    const { incoming, method } = this;
    if (incoming.isOver) return;
    if (incoming.isRecording) {
      this.peerAtStart = call.getConnectionInfo ? undefined : this.peerName();
      if (options.responseMetadata.length > 0) this.watchMetadata();
      if (options.messageEvents) this.events = MessageEvents.of(definition, incoming.span);
      if (this.events) this.watchMessages(this.events);
    }
    this.watchStatus();
    incoming.measure(() => activeCallAttributes(method, definition));
    open.add(this);
  }

  private isIgnored(): boolean {
    const { metadata, method, options } = this;
    return askPredicate('grpc.ignore', () => options.ignore({ method, side: 'server', metadata })) ?? false;
  }

  private start(): IncomingOperation<Status> {
    const { metadata, method, options } = this;
    const isTrusted = isCallerTrusted('grpc.trustIncoming', options.trustIncoming, {
      method,
      side: 'server',
      metadata,
    });
    // Not the active context: a server that was started inside a span would hang every call below it.
    const placement = resolvePlacement(ROOT_CONTEXT, metadata, metadataGetter, isTrusted);
    return IncomingOperation.start(method, this, {
      attributes: callAttributes(method),
      meter: options.meter,
      placement,
    });
  }

  // A status may also come from below: a message that cannot be read, a deadline. All of them pass through here.
  private watchStatus(): void {
    const { call } = this;
    const sendStatus = call.sendStatus.bind(call);
    call.sendStatus = (status) => {
      const isLate = call.checkCancelled?.() ?? false;
      const isAfterHeaders = call.stream?.headersSent ?? false;
      sendStatus(status);
      if (!isLate) observe(() => this.answered(status, isAfterHeaders));
    };
  }

  private watchMetadata(): void {
    const { call, incoming, options } = this;
    const sendMetadata = call.sendMetadata.bind(call);
    call.sendMetadata = (metadata) => {
      observe(() =>
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
      observe(() => events.messageSent());
      sendMessage(message, callback);
    };
  }

  /** Goes on with the call inside its span. */
  handOn(listener: ServerListener): ServerListener {
    const { events, incoming } = this;
    return {
      onReceiveMetadata: (metadata) => incoming.runInHandler(() => listener.onReceiveMetadata(metadata)),
      onReceiveMessage: (message) => {
        if (events) observe(() => events.messageReceived());
        incoming.runInHandler(() => listener.onReceiveMessage(message));
      },
      onReceiveHalfClose: () => incoming.runInHandler(() => listener.onReceiveHalfClose()),
      onCancel: () => {
        incoming.runInHandler(() => listener.onCancel());
        observe(() => this.cancelled());
      },
    };
  }

  /**
   * A status was handed to grpc-js. A caller that cancels a stream of requests also ends it, and both arrive at about the
   * same time; the handler may then answer, and its status is never sent. So the call ends when the status has left.
   */
  private answered(status: Status, isAfterHeaders: boolean): void {
    const { stream } = this.call;
    if (!stream) return this.end(status);
    if (this.answer) return;
    this.answer = status;
    // Else `onCancel` follows when the trailers are handed to HTTP/2.
    if (!isAfterHeaders) this.endAnswered(stream, status);
  }

  /** grpc-js says so of every call: when its status was sent, or when its caller is gone. */
  private cancelled(): void {
    const { answer, call, incoming, isFlushing } = this;
    if (incoming.isOver || isFlushing) return;
    const { stream } = call;
    if (!answer || !stream) return this.end(this.cancellation());
    if (isGone(stream)) return this.endAfterTrailers(stream, answer);
    // Older releases say so when the status is handed over.
    const settle = () => observe(() => this.endAfterTrailers(stream, answer));
    stream.once('wantTrailers', settle);
    stream.once('close', settle);
  }

  private endAfterTrailers(stream: ServerStream, answer: Status): void {
    if (stream.sentTrailers) this.endAnswered(stream, answer);
    else this.end(this.cancellation());
  }

  private endAnswered(stream: ServerStream, answer: Status): void {
    // Only a stream of requests is ended by its cancellation, so that a handler may answer that.
    if (!this.definition.requestStream) return this.end(answer);
    if (this.isFlushing) return;
    this.isFlushing = true;
    afterFlush(stream, () =>
      observe(() => this.end(stream.rstCode === RESET_BY_CALLER ? this.cancellation() : answer)),
    );
  }

  checkCancelled(): void {
    observe(() => this.call.checkCancelled?.());
  }

  /** The application ends, and grpc-js will not say any more how the call did. */
  endAsCancelled(): void {
    observe(() => this.end(this.answer ?? CANCELLED_BY_CALLER));
  }

  private end(status: Status): void {
    this.open.delete(this);
    this.incoming.end(status);
  }

  describeEnd(operation: Operation, status: Status): void {
    observe(() => operation.describe('grpc attributes', () => this.attributes(status)));
    const shown = this.incoming.areDetailsWithheld ? { ...status, details: '' } : status;
    setCallStatus(operation, shown, 'server');
  }

  measuredAttributes(status: Status): Attributes {
    return endedCallAttributes(this.method, status, 'server');
  }

  private attributes({ metadata: trailer }: Status): Attributes {
    const { call, metadata, options } = this;
    const host = guarded('getHost() of a gRPC call', () => call.getHost?.());
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
    // A connection that is gone no longer says who it was with.
    const { remoteAddress, remotePort } =
      guarded('getConnectionInfo() of a gRPC call', () => call.getConnectionInfo?.()) ?? {};
    if (remoteAddress !== undefined) return { address: remoteAddress, port: remotePort };
    const name = this.peerName();
    return name === undefined ? undefined : parseAddress(name);
  }

  private peerName(): string | undefined {
    return guarded('getPeer() of a gRPC call', () => this.call.getPeer());
  }

  private cancellation(): Status {
    return this.deadlineHasPassed() ? LATE : CANCELLED_BY_CALLER;
  }

  private deadlineHasPassed(): boolean {
    const deadline = Number(guarded('getDeadline() of a gRPC call', () => this.call.getDeadline()) ?? Infinity);
    const given = deadline - this.receivedAt;
    const slack = Math.min(Math.max(DEADLINE_SLACK, given * DEADLINE_SLACK_RATIO), given / 2);
    // Without a deadline this compares with NaN, and none has passed.
    return Date.now() >= deadline - slack;
  }
}

/**
 * HTTP/2 writes at the end of a turn of the event loop what it was handed during that turn, or during the writing itself. What
 * it reads before, such as the reset of a stream, comes first. A stream that has ended on both sides closes then.
 */
function afterFlush(stream: ServerStream, then: () => void): void {
  stream.once('close', then);
  setImmediate(() => setImmediate(then));
}

/** Whether nothing more will be sent on a stream. */
function isGone({ closed, destroyed, sentTrailers }: ServerStream): boolean {
  return closed || destroyed || sentTrailers !== undefined;
}
