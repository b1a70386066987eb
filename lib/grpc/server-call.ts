import { ROOT_CONTEXT, SpanKind, type Attributes, type Context, type SpanContext } from '@opentelemetry/api';
import { ATTR_CLIENT_ADDRESS } from '@opentelemetry/semantic-conventions';
import { guarded } from '../core/diagnostics.js';
import { withEntry, type Entry } from '../core/entry.js';
import { standOf, trusts } from '../core/incoming-caller.js';
import { Operation } from '../core/operation.js';
import type { Instruments } from '../core/instruments.js';
import type { RequestMeasurement, RequestMeter } from '../core/request-meter.js';
import type { ResolvedGrpc } from '../options/resolved-options.js';
import { parseAddress, serverAddress, type Address } from './address.js';
import { callAttributes, metadataAttributes, methodName, peerAttributes, setCallStatus } from './call-attributes.js';
import type { Metadata, MethodDefinition, ServerInterceptingCall, ServerListener, Status } from './grpc-js.js';
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
const GIVEN_UP: Status = { code: CANCELLED };

export interface ServerTracingOptions extends ResolvedGrpc {
  /** Undefined where nothing is measured. */
  readonly meter: RequestMeter | undefined;
}

/** One incoming gRPC call and its server span, from its metadata to its status. */
export class ServerCall implements Entry {
  caller: SpanContext | undefined;
  private readonly method: string;
  private readonly receivedAt = Date.now();
  private readonly operation: Operation;
  private events: MessageEvents | undefined;
  /** What the call is served in: its span, unless it turns out to have none. */
  private serving: Operation;
  /** What the handler works in. */
  private handling: Operation | undefined;
  private readonly measurement: RequestMeasurement | undefined;
  /** Whether it was taken out of its trace. It counts all the same. */
  private discarded = false;
  private handled = false;
  private over = false;

  constructor(
    private readonly definition: MethodDefinition,
    private readonly call: ServerInterceptingCall,
    private readonly metadata: Metadata,
    private readonly options: ServerTracingOptions,
    private readonly open: OpenCalls,
  ) {
    this.method = methodName(definition.path);
    const { method } = this;
    if (guarded('grpc.ignore', () => options.ignore({ method, side: 'server', metadata }))) {
      this.operation = this.serving = Operation.suppressed(this.within(ROOT_CONTEXT));
      return;
    }
    this.operation = this.serving = this.start();
    this.measurement = options.meter?.begin(activeCallAttributes(method, definition));
    if (!this.operation.recording && !this.measurement) return;
    open.opened(this);
    this.watch();
  }

  private start(): Operation {
    const { metadata, method } = this;
    // Not the active context: a server that was started inside a span would hang every call below it.
    const { caller, parent, links } = standOf(ROOT_CONTEXT, metadata, metadataGetter, this.trusted());
    this.caller = caller;
    return Operation.start(method, {
      kind: SpanKind.SERVER,
      parent: this.within(parent),
      ...(links && { links }),
      attributes: callAttributes(method),
    });
  }

  private trusted(): boolean {
    const { metadata, method, options } = this;
    return trusts('grpc.trustIncoming', options.trustIncoming, { method, side: 'server', metadata });
  }

  get instruments(): Instruments | undefined {
    return this.options.meter?.instruments;
  }

  private within(parent: Context): Context {
    return withEntry(parent, this);
  }

  // A status may also come from below: a message that cannot be read, a deadline. All of them pass through here.
  private watch(): void {
    const { call, definition, operation, options } = this;
    const sendStatus = call.sendStatus.bind(call);
    call.sendStatus = (status) => {
      const late = call.checkCancelled?.() ?? false;
      sendStatus(status);
      if (!late) this.end(status);
    };
    if (!operation.recording) return;
    if (options.responseMetadata.length > 0) this.watchMetadata();
    if (options.messageEvents) this.watchMessages(MessageEvents.of(definition, operation.span));
  }

  private watchMetadata(): void {
    const { call, operation, options } = this;
    const sendMetadata = call.sendMetadata.bind(call);
    call.sendMetadata = (metadata) => {
      operation.describe('grpc metadata', () =>
        metadataAttributes(options.responseMetadata, 'response.header', metadata),
      );
      sendMetadata(metadata);
    };
  }

  private watchMessages(events: MessageEvents | undefined): void {
    if (!events) return;
    this.events = events;
    const { call } = this;
    const sendMessage = call.sendMessage.bind(call);
    call.sendMessage = (message, callback) => {
      events.messageSent();
      sendMessage(message, callback);
    };
  }

  /** Goes on with the call inside its span. */
  handOn(listener: ServerListener): ServerListener {
    const { events } = this;
    return {
      onReceiveMetadata: (metadata) => this.run(() => listener.onReceiveMetadata(metadata)),
      onReceiveMessage: (message) => {
        events?.messageReceived();
        this.run(() => listener.onReceiveMessage(message));
      },
      onReceiveHalfClose: () => this.run(() => listener.onReceiveHalfClose()),
      onCancel: () => {
        this.run(() => listener.onCancel());
        // It also comes after a status that was sent, when there is nothing left to end.
        this.end(this.deadlineHasPassed() ? LATE : GIVEN_UP);
      },
    };
  }

  // A handler may return, and so end its span, and go on listening to the call.
  private run(tell: () => void): void {
    const { handling, serving } = this;
    (handling?.recording ? handling : serving).run(tell);
  }

  handlerReached(): boolean {
    const first = !this.handled;
    this.handled = true;
    return first && this.operation.recording;
  }

  handledIn(operation: Operation): void {
    this.handling = operation;
  }

  recordException(thrown: unknown): void {
    this.operation.recordException(thrown);
  }

  discard(): void {
    this.discarded = true;
    this.operation.discard();
    this.serving = Operation.suppressed(this.operation.context);
  }

  look(): void {
    this.call.checkCancelled?.();
  }

  abandon(): void {
    this.end(GIVEN_UP);
  }

  private end(status: Status): void {
    if (this.over) return;
    this.over = true;
    this.open.ended(this);
    const { discarded, method, operation } = this;
    if (operation.recording && !discarded) {
      operation.describe('grpc attributes', () => this.attributes(status));
      guarded('grpc status', () => setCallStatus(operation, status, 'server'));
    }
    operation.end();
    this.measurement?.end(endedCallAttributes(method, status, 'server'), discarded ? undefined : operation.span);
  }

  private attributes({ metadata: trailer }: Status): Attributes {
    const { call, metadata, options } = this;
    const peer = this.peer();
    return {
      ...serverAddress(call.getHost()),
      ...(peer && { [ATTR_CLIENT_ADDRESS]: peer.address }),
      ...peerAttributes(peer),
      ...metadataAttributes(options.requestMetadata, 'request.header', metadata),
      ...(trailer && metadataAttributes(options.responseMetadata, 'response.trailer', trailer)),
    };
  }

  private peer(): Address | undefined {
    const { call } = this;
    // A connection that is gone no longer says who it was with.
    const { remoteAddress, remotePort } = call.getConnectionInfo?.() ?? {};
    if (remoteAddress === undefined) return parseAddress(call.getPeer());
    return { address: remoteAddress, port: remotePort };
  }

  private deadlineHasPassed(): boolean {
    const deadline = Number(this.call.getDeadline());
    const given = deadline - this.receivedAt;
    const slack = Math.min(Math.max(DEADLINE_SLACK, given * DEADLINE_SLACK_RATIO), given / 2);
    // Without a deadline this compares with NaN, and none has passed.
    return Date.now() >= deadline - slack;
  }
}
