import { setImmediate } from 'node:timers';
import { propagation, trace, type Attributes } from '@opentelemetry/api';
import { callSafely } from '../core/diagnostics.js';
import type { Exchange } from '../core/exchange-operation.js';
import type { Operation } from '../core/operation.js';
import type { OperationMeter } from '../core/operation-meter.js';
import { OutgoingOperation } from '../core/outgoing-operation.js';
import type { ResolvedGrpc } from '../options/grpc.js';
import { parseAddress, serverAddress, type Address } from './address.js';
import {
  callAttributes,
  metadataAttributes,
  peerAttributes,
  setCallStatus,
  type MetadataPart,
} from './call-attributes.js';
import { ListenerInContext } from './client-context.js';
import type { ClientInterceptingCall, ClientListener, Metadata, MethodDefinition, Status } from './grpc-js.js';
import { traceSafely } from './trace-safely.js';
import { MessageEvents } from './message-events.js';
import { metadataSetter } from './metadata-carrier.js';
import { activeCallAttributes, endedCallAttributes } from './metrics.js';
import { OK, UNIMPLEMENTED, UNKNOWN } from './status-code.js';

/** The status that clients of grpc-js report for a unary call whose server responds OK without a message. */
const NO_MESSAGE = { code: UNIMPLEMENTED, details: 'No message received' };

export interface ClientTracingOptions extends ResolvedGrpc {
  /** True if attributes have to be there when a span starts. Else they are computed only for a span that records. */
  readonly areAttributesReadAtStart: boolean;
  /** Returns the meter of a call that starts now; undefined if nothing measures it. */
  readonly meter: () => OperationMeter | undefined;
}

/** A call that a client is about to start. */
export interface StartedCall {
  readonly call: ClientInterceptingCall;
  readonly definition: MethodDefinition;
  /** `package.Service/Method` */
  readonly method: string;
  /** True if code of the application may run within the start of the call: another interceptor, or credentials that fetch a token. */
  readonly runsApplication: boolean;
}

/** The outcome of a call: a status, or an exception because it could not be started. */
export type CallOutcome = Status | { readonly thrown: unknown };

/** One outgoing gRPC call, from its start to the status that the client reports to the application. */
export class ClientCall extends ListenerInContext implements Exchange<CallOutcome> {
  private readonly outgoing: OutgoingOperation<CallOutcome>;
  private readonly isRecording: boolean;
  private readonly target: string;
  private readonly events: MessageEvents | undefined;
  private hasReceivedMessage = false;

  /** Starts the span of a call. Returns undefined if that fails: the call then continues without a span. */
  static start(started: StartedCall, listener: ClientListener, options: ClientTracingOptions): ClientCall | undefined {
    return callSafely('Tracing a gRPC call', () => new ClientCall(started, listener, options));
  }

  private constructor(
    private readonly started: StartedCall,
    listener: ClientListener,
    private readonly options: ClientTracingOptions,
  ) {
    super(listener);
    const { definition, method } = started;
    this.target = this.peer();
    const attributes = options.areAttributesReadAtStart ? this.startAttributes() : undefined;
    this.outgoing = OutgoingOperation.start(method, this, { attributes, meter: options.meter() });
    const { outgoing } = this;
    this.isRecording = outgoing.isRecording;
    if (this.isRecording && !attributes) outgoing.span.setAttributes(this.startAttributes());
    if (options.messageEvents && this.isRecording) this.events = MessageEvents.of(definition, outgoing.span);
    outgoing.measure(() => activeCallAttributes(method, definition));
  }

  private startAttributes(): Attributes {
    return { ...callAttributes(this.started.method), ...serverAddress(this.target) };
  }

  send(start: ClientInterceptingCall['start'], metadata: Metadata): void {
    const { outgoing } = this;
    const { call, runsApplication } = this.started;
    const sentMetadata = this.withTraceContext(metadata);
    this.describeMetadata('requestMetadata', 'request.header', sentMetadata);
    try {
      // The context of the span is for code of the application alone. All that grpc-js creates for the call would keep the context alive.
      if (runsApplication) outgoing.run(() => start.call(call, sentMetadata, this));
      else start.call(call, sentMetadata, this);
    } catch (thrown) {
      traceSafely(() => outgoing.end({ thrown }));
      throw thrown;
    }
    // A call that is neither recorded nor measured is over already.
    if (outgoing.isOver) return;
    traceSafely(() => {
      if (this.events) this.watchMessages(this.events);
      if (runsApplication) this.watchCancel();
    });
  }

  /** Returns a copy of the metadata with the trace context: the application may use the same metadata for other calls. */
  private withTraceContext(metadata: Metadata): Metadata {
    const { outgoing } = this;
    const copy = callSafely('Copying the metadata of a gRPC call', () => metadata.clone());
    if (!copy) return metadata;
    callSafely('The propagator', () => {
      if (trace.isSpanContextValid(outgoing.span.spanContext())) removeTraceContext(copy);
    });
    outgoing.inject(copy, metadataSetter);
    return copy;
  }

  override onReceiveMetadata(metadata: Metadata): void {
    this.describeMetadata('responseMetadata', 'response.header', metadata);
    super.onReceiveMetadata(metadata);
  }

  override onReceiveMessage(message: unknown): void {
    const { events } = this;
    // A failed call has null in place of a message.
    if (message !== null) {
      this.hasReceivedMessage = true;
      if (events) traceSafely(() => events.recordReceived());
    }
    super.onReceiveMessage(message);
  }

  override onReceiveStatus(status: Status): void {
    traceSafely(() => this.outgoing.end(this.reportedStatus(status)));
    super.onReceiveStatus(status);
  }

  /** Returns the status that grpc-js reports to the application. */
  private reportedStatus(status: Status): Status {
    const lacksMessage = status.code === OK && !this.started.definition.responseStream && !this.hasReceivedMessage;
    return lacksMessage ? { ...status, ...NO_MESSAGE } : status;
  }

  private describeMetadata(option: 'requestMetadata' | 'responseMetadata', part: MetadataPart, metadata: Metadata) {
    const { isRecording, options, outgoing } = this;
    if (!isRecording || options[option].length === 0) return;
    traceSafely(() => outgoing.describe('grpc metadata', () => metadataAttributes(options[option], part, metadata)));
  }

  private watchMessages(events: MessageEvents): void {
    const { call } = this.started;
    const { sendMessageWithContext: send } = call;
    if (typeof send !== 'function') return;
    call.sendMessageWithContext = (sending, message) => {
      traceSafely(() => events.recordSent());
      send.call(call, sending, message);
    };
  }

  private watchCancel(): void {
    const { call } = this.started;
    const { cancelWithStatus: cancel } = call;
    if (typeof cancel !== 'function') return;
    call.cancelWithStatus = (code, details) => {
      cancel.call(call, code, details);
      // While another interceptor delays the call, grpc-js has no listener yet, and never reports the end.
      if (!this.outgoing.isOver) setImmediate(() => traceSafely(() => this.outgoing.end({ code, details })));
    };
  }

  describeEnd(operation: Operation, outcome: CallOutcome): void {
    if ('thrown' in outcome) {
      operation.fail(outcome.thrown);
      return;
    }
    traceSafely(() => operation.describe('grpc attributes', () => this.attributes(outcome)));
    setCallStatus(operation, outcome, 'client');
  }

  measuredAttributes(outcome: CallOutcome): Attributes {
    const status = 'thrown' in outcome ? { code: UNKNOWN } : outcome;
    return { ...endedCallAttributes(this.started.method, status, 'client'), ...serverAddress(this.target) };
  }

  private attributes({ metadata: trailer }: Status): Attributes {
    const peer = this.peer();
    // Until a connection is chosen, the peer is the target of the channel.
    return {
      ...peerAttributes(peer === this.target ? undefined : peerAddress(peer)),
      ...(trailer && metadataAttributes(this.options.responseMetadata, 'response.trailer', trailer)),
    };
  }

  /** Returns the peer. It may be missing: an interceptor may have created the call itself, without this method. */
  private peer(): string {
    return callSafely('getPeer() of a gRPC call', () => this.started.call.getPeer?.()) ?? '';
  }
}

// The peer of a Unix socket is only its path.
function peerAddress(peer: string): Address | undefined {
  return peer.startsWith('/') ? { address: peer } : parseAddress(peer);
}

const B3 = /^(?:b3|x-b3-)/i;
const B3_FIELDS = ['b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled', 'x-b3-flags'];

/** Removes a trace context that the application has copied from an incoming call. The baggage stays, since it may be the application's own. */
function removeTraceContext(metadata: Metadata): void {
  for (const field of propagation.fields()) {
    if (field !== 'baggage') metadata.remove(field);
    // A server reads both forms of B3, and may prefer the one that was copied.
    if (B3.test(field)) for (const b3Field of B3_FIELDS) metadata.remove(b3Field);
  }
}
