import { propagation, SpanKind, trace, type Attributes } from '@opentelemetry/api';
import { guarded } from '../core/diagnostics.js';
import { Operation } from '../core/operation.js';
import type { RequestMeasurement, RequestMeter } from '../core/request-meter.js';
import type { ResolvedGrpc } from '../options/resolved-options.js';
import { parseAddress, serverAddress, type Address } from './address.js';
import { callAttributes, metadataAttributes, peerAttributes, setCallStatus } from './call-attributes.js';
import type { ClientInterceptingCall, ClientListener, Metadata, MethodDefinition, Status } from './grpc-js.js';
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
  private readonly target: string;
  private readonly events: MessageEvents | undefined;
  private readonly measurement: RequestMeasurement | undefined;
  private answered = false;
  private over = false;

  constructor(
    private readonly method: string,
    private readonly definition: MethodDefinition,
    private readonly call: ClientInterceptingCall,
    private readonly options: ClientTracingOptions,
  ) {
    this.target = this.peer();
    const attributes = { ...callAttributes(method), ...serverAddress(this.target) };
    this.operation = Operation.start(method, { kind: SpanKind.CLIENT, attributes });
    this.measurement = options.meter()?.begin(activeCallAttributes(method, definition));
    this.events =
      options.messageEvents && this.operation.recording ? MessageEvents.of(definition, this.operation.span) : undefined;
  }

  start(start: ClientInterceptingCall['start'], metadata: Metadata, listener: ClientListener): void {
    const { operation } = this;
    const sent = this.withTraceContext(metadata);
    operation.describe('grpc metadata', () => metadataAttributes(this.options.requestMetadata, 'request.header', sent));
    try {
      operation.run(() => start(sent, this.listen(listener)));
    } catch (thrown) {
      operation.fail(thrown);
      this.finish({ code: UNKNOWN });
      throw thrown;
    }
    if (this.events) this.watchMessages(this.events);
    this.watchCancel();
  }

  /** A copy: the application may use its metadata for other calls as well. */
  private withTraceContext(metadata: Metadata): Metadata {
    const { operation } = this;
    const sent = metadata.clone();
    guarded('The propagator', () => {
      if (trace.isSpanContextValid(operation.span.spanContext())) forgetTraceContext(sent);
      propagation.inject(operation.context, sent, metadataSetter);
    });
    return sent;
  }

  private listen(listener: ClientListener): ClientListener {
    const { events, operation, options } = this;
    return {
      onReceiveMetadata: (metadata) => {
        if (options.responseMetadata.length > 0) {
          operation.describe('grpc metadata', () =>
            metadataAttributes(options.responseMetadata, 'response.header', metadata),
          );
        }
        listener.onReceiveMetadata?.(metadata);
      },
      onReceiveMessage: (message) => {
        // Null stands for the message that a failed call does not have.
        if (message !== null) {
          this.answered = true;
          events?.messageReceived();
        }
        listener.onReceiveMessage?.(message);
      },
      onReceiveStatus: (status) => {
        const lacksMessage = status.code === OK && !this.definition.responseStream && !this.answered;
        this.end(lacksMessage ? { ...status, ...NO_MESSAGE } : status);
        listener.onReceiveStatus?.(status);
      },
    };
  }

  private watchMessages(events: MessageEvents): void {
    const { call } = this;
    const { sendMessageWithContext: send } = call;
    call.sendMessageWithContext = (sending, message) => {
      events.messageSent();
      send.call(call, sending, message);
    };
  }

  private watchCancel(): void {
    const { call, operation } = this;
    const { cancelWithStatus: cancel } = call;
    call.cancelWithStatus = (code, details) => {
      cancel.call(call, code, details);
      // While another interceptor still holds the call back, grpc-js has nobody to tell, and never will.
      if (operation.recording || this.measurement) setImmediate(() => this.end({ code, details }));
    };
  }

  private end(status: Status): void {
    const { operation } = this;
    if (operation.recording) {
      operation.describe('grpc attributes', () => this.attributes(status));
      guarded('grpc status', () => setCallStatus(operation, status, 'client'));
    }
    this.finish(status);
  }

  private finish(status: Status): void {
    if (this.over) return;
    this.over = true;
    const { method, operation, target } = this;
    operation.end();
    this.measurement?.end(
      { ...endedCallAttributes(method, status, 'client'), ...serverAddress(target) },
      operation.span,
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
    return guarded('getPeer() of a gRPC call', () => this.call.getPeer()) ?? '';
  }
}

// Of a Unix socket it is the path alone.
function peerAddress(peer: string): Address | undefined {
  return peer.startsWith('/') ? { address: peer } : parseAddress(peer);
}

/** Takes out what an application has passed on from a call that it serves. Of baggage it may have added its own. */
function forgetTraceContext(metadata: Metadata): void {
  for (const field of propagation.fields()) {
    if (field !== 'baggage') metadata.remove(field);
  }
}
