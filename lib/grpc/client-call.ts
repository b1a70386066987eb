import { setImmediate } from 'node:timers';
import { propagation, SpanKind, trace, type Attributes } from '@opentelemetry/api';
import { guarded } from '../core/diagnostics.js';
import { Operation } from '../core/operation.js';
import type { RequestMeasurement, RequestMeter } from '../core/request-meter.js';
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
  /** What measures a call that begins now; undefined where nothing does. */
  readonly meter: () => RequestMeter | undefined;
}

/** One outgoing gRPC call and its client span, from its start to the status that the client tells the application. */
export class ClientCall {
  private readonly operation: Operation;
  private readonly isRecording: boolean;
  private readonly target: string;
  private readonly events: MessageEvents | undefined;
  private readonly measurement: RequestMeasurement | undefined;
  private isAnswered = false;
  private isOver = false;

  /** Begins the span of a call. Returns undefined where that fails: the call then goes on without a span. */
  static begin(
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
    this.operation = Operation.start(method, { kind: SpanKind.CLIENT, attributes });
    this.isRecording = this.operation.recording;
    if (options.messageEvents && this.isRecording) this.events = MessageEvents.of(definition, this.operation.span);
    this.measurement = guarded('Measuring a gRPC call', () =>
      options.meter()?.begin(activeCallAttributes(method, definition)),
    );
  }

  start(start: ClientInterceptingCall['start'], metadata: Metadata, listener: ClientListener): void {
    const { operation } = this;
    const sent = this.withTraceContext(metadata);
    this.describeMetadata('requestMetadata', 'request.header', sent);
    try {
      operation.run(() => start(sent, this.listen(listener)));
    } catch (thrown) {
      observe(() => operation.fail(thrown));
      this.finish({ code: UNKNOWN });
      throw thrown;
    }
    observe(() => {
      if (this.events) this.watchMessages(this.events);
      this.watchCancel();
    });
  }

  /** A copy: the application may use its metadata for other calls as well. */
  private withTraceContext(metadata: Metadata): Metadata {
    const { operation } = this;
    const sent = guarded('Copying the metadata of a gRPC call', () => metadata.clone());
    if (!sent) return metadata;
    guarded('The propagator', () => {
      if (trace.isSpanContextValid(operation.span.spanContext())) forgetTraceContext(sent);
      propagation.inject(operation.context, sent, metadataSetter);
    });
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
        observe(() => this.end(this.asTold(status)));
        listener.onReceiveStatus?.(status);
      },
    };
  }

  /** The status as grpc-js tells it to the application. */
  private asTold(status: Status): Status {
    const lacksMessage = status.code === OK && !this.definition.responseStream && !this.isAnswered;
    return lacksMessage ? { ...status, ...NO_MESSAGE } : status;
  }

  private describeMetadata(wanted: 'requestMetadata' | 'responseMetadata', part: MetadataPart, metadata: Metadata) {
    const { isRecording, operation, options } = this;
    if (!isRecording || options[wanted].length === 0) return;
    observe(() => operation.describe('grpc metadata', () => metadataAttributes(options[wanted], part, metadata)));
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
      if (this.isRecording || this.measurement) setImmediate(() => observe(() => this.end({ code, details })));
    };
  }

  private end(status: Status): void {
    if (this.isOver) return;
    const { operation } = this;
    if (this.isRecording) {
      observe(() => operation.describe('grpc attributes', () => this.attributes(status)));
      observe(() => setCallStatus(operation, status, 'client'));
    }
    this.finish(status);
  }

  private finish(status: Status): void {
    if (this.isOver) return;
    this.isOver = true;
    const { method, operation, target } = this;
    operation.end();
    guarded('Measuring a gRPC call', () =>
      this.measurement?.end(
        { ...endedCallAttributes(method, status, 'client'), ...serverAddress(target) },
        operation.span,
      ),
    );
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

/** Takes out what an application has passed on from a call that it serves. Of baggage it may have added its own. */
function forgetTraceContext(metadata: Metadata): void {
  for (const field of propagation.fields()) {
    if (field !== 'baggage') metadata.remove(field);
    // A server reads both forms, and the one that was passed on may go first there.
    if (B3.test(field)) for (const form of B3_FIELDS) metadata.remove(form);
  }
}
