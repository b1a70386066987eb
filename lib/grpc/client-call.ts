import { setImmediate } from 'node:timers';
import { propagation, trace, type Attributes } from '@opentelemetry/api';
import { guarded } from '../core/diagnostics.js';
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
import type { ClientInterceptingCall, ClientListener, Metadata, MethodDefinition, Status } from './grpc-js.js';
import { observe } from './guarded-call.js';
import { MessageEvents } from './message-events.js';
import { metadataSetter } from './metadata-carrier.js';
import { activeCallAttributes, endedCallAttributes } from './metrics.js';
import { OK, UNIMPLEMENTED, UNKNOWN } from './status-code.js';

/** What clients of grpc-js make of a server that says OK to a unary call and sends no message. */
const NO_MESSAGE = { code: UNIMPLEMENTED, details: 'No message received' };

export interface ClientTracingOptions extends ResolvedGrpc {
  /** Returns the meter of a call that starts now; undefined if nothing measures it. */
  readonly meter: () => OperationMeter | undefined;
}

/** How a call ended: with a status, or with an exception because it could not be started. */
export type CallOutcome = Status | { readonly thrown: unknown };

/** One outgoing gRPC call, from its start to the status that the client reports to the application. */
export class ClientCall implements Exchange<CallOutcome> {
  private readonly outgoing: OutgoingOperation<CallOutcome>;
  private readonly isRecording: boolean;
  private readonly target: string;
  private readonly events: MessageEvents | undefined;
  private isAnswered = false;

  /** Starts the span of a call. Returns undefined if that fails: the call then goes on without a span. */
  static start(
    method: string,
    definition: MethodDefinition,
    call: ClientInterceptingCall,
    options: ClientTracingOptions,
  ): ClientCall | undefined {
    return guarded('Tracing a gRPC call', () => new ClientCall(method, definition, call, options));
  }

  private constructor(
    private readonly method: string,
    private readonly definition: MethodDefinition,
    private readonly call: ClientInterceptingCall,
    private readonly options: ClientTracingOptions,
  ) {
    this.target = this.peer();
    const attributes = { ...callAttributes(method), ...serverAddress(this.target) };
    this.outgoing = OutgoingOperation.start(method, this, { attributes, meter: options.meter() });
    const { outgoing } = this;
    this.isRecording = outgoing.isRecording;
    if (options.messageEvents && this.isRecording) this.events = MessageEvents.of(definition, outgoing.span);
    outgoing.measure(() => activeCallAttributes(method, definition));
  }

  send(start: ClientInterceptingCall['start'], metadata: Metadata, listener: ClientListener): void {
    const { outgoing } = this;
    const sent = this.withTraceContext(metadata);
    this.describeMetadata('requestMetadata', 'request.header', sent);
    try {
      outgoing.run(() => start(sent, this.listen(listener)));
    } catch (thrown) {
      observe(() => outgoing.end({ thrown }));
      throw thrown;
    }
    observe(() => {
      if (this.events) this.watchMessages(this.events);
      this.watchCancel();
    });
  }

  /** Returns a copy: the application may use its metadata for other calls as well. */
  private withTraceContext(metadata: Metadata): Metadata {
    const { outgoing } = this;
    const sent = guarded('Copying the metadata of a gRPC call', () => metadata.clone());
    if (!sent) return metadata;
    guarded('The propagator', () => {
      if (trace.isSpanContextValid(outgoing.span.spanContext())) removeTraceContext(sent);
    });
    outgoing.inject(sent, metadataSetter);
    return sent;
  }

  private listen(listener: ClientListener): ClientListener {
    const { events } = this;
    return {
      onReceiveMetadata: (metadata) => {
        this.describeMetadata('responseMetadata', 'response.header', metadata);
        listener.onReceiveMetadata?.(metadata);
      },
      onReceiveMessage: (message) => {
        // Null stands for the message that a failed call does not have.
        if (message !== null) {
          this.isAnswered = true;
          if (events) observe(() => events.messageReceived());
        }
        listener.onReceiveMessage?.(message);
      },
      onReceiveStatus: (status) => {
        observe(() => this.outgoing.end(this.reportedStatus(status)));
        listener.onReceiveStatus?.(status);
      },
    };
  }

  /** Returns the status as grpc-js reports it to the application. */
  private reportedStatus(status: Status): Status {
    const lacksMessage = status.code === OK && !this.definition.responseStream && !this.isAnswered;
    return lacksMessage ? { ...status, ...NO_MESSAGE } : status;
  }

  private describeMetadata(wanted: 'requestMetadata' | 'responseMetadata', part: MetadataPart, metadata: Metadata) {
    const { isRecording, options, outgoing } = this;
    if (!isRecording || options[wanted].length === 0) return;
    observe(() => outgoing.describe('grpc metadata', () => metadataAttributes(options[wanted], part, metadata)));
  }

  private watchMessages(events: MessageEvents): void {
    const { call } = this;
    const { sendMessageWithContext: send } = call;
    if (typeof send !== 'function') return;
    call.sendMessageWithContext = (sending, message) => {
      observe(() => events.messageSent());
      send.call(call, sending, message);
    };
  }

  private watchCancel(): void {
    const { call } = this;
    const { cancelWithStatus: cancel } = call;
    if (typeof cancel !== 'function') return;
    call.cancelWithStatus = (code, details) => {
      cancel.call(call, code, details);
      // While another interceptor still holds the call back, grpc-js has no listener to tell, and never will.
      if (!this.outgoing.isOver) setImmediate(() => observe(() => this.outgoing.end({ code, details })));
    };
  }

  describeEnd(operation: Operation, outcome: CallOutcome): void {
    if ('thrown' in outcome) {
      operation.fail(outcome.thrown);
      return;
    }
    observe(() => operation.describe('grpc attributes', () => this.attributes(outcome)));
    setCallStatus(operation, outcome, 'client');
  }

  measuredAttributes(outcome: CallOutcome): Attributes {
    const status = 'thrown' in outcome ? { code: UNKNOWN } : outcome;
    return { ...endedCallAttributes(this.method, status, 'client'), ...serverAddress(this.target) };
  }

  private attributes({ metadata: trailer }: Status): Attributes {
    const peer = this.peer();
    // Until a connection is chosen, the channel's target stands in.
    return {
      ...peerAttributes(peer === this.target ? undefined : peerAddress(peer)),
      ...(trailer && metadataAttributes(this.options.responseMetadata, 'response.trailer', trailer)),
    };
  }

  /** An interceptor may have made the call by hand, without this method. */
  private peer(): string {
    return guarded('getPeer() of a gRPC call', () => this.call.getPeer?.()) ?? '';
  }
}

// Of a Unix socket it is the path alone.
function peerAddress(peer: string): Address | undefined {
  return peer.startsWith('/') ? { address: peer } : parseAddress(peer);
}

const B3 = /^(?:b3|x-b3-)/i;
const B3_FIELDS = ['b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled', 'x-b3-flags'];

/** Removes the trace context that an application has passed on from a call that it serves. The baggage may be its own. */
function removeTraceContext(metadata: Metadata): void {
  for (const field of propagation.fields()) {
    if (field !== 'baggage') metadata.remove(field);
    // A server reads both forms, and the one that was passed on may go first there.
    if (B3.test(field)) for (const form of B3_FIELDS) metadata.remove(form);
  }
}
