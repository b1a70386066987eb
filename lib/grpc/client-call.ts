import { context, propagation, SpanKind, type Attributes, type Context } from '@opentelemetry/api';
import { ATTR_NETWORK_PEER_ADDRESS, ATTR_NETWORK_PEER_PORT } from '@opentelemetry/semantic-conventions';
import { guarded } from '../core/diagnostics.js';
import { headerAttributes } from '../core/header-attributes.js';
import { Operation } from '../core/operation.js';
import type { ResolvedGrpc } from '../options/resolved-options.js';
import { parseAddress, serverAddress } from './address.js';
import {
  callAttributes,
  requestHeaderAttribute,
  responseHeaderAttribute,
  responseTrailerAttribute,
  setCallStatus,
} from './call-attributes.js';
import type { ClientInterceptingCall, ClientListener, Metadata, MethodDefinition, Status } from './grpc-js.js';
import { MessageEvents } from './message-events.js';
import { metadataSetter } from './metadata-carrier.js';

/** One outgoing gRPC call and its client span, from its start to the status that the client tells the application. */
export class ClientCall {
  /** What the application hears of the call, it hears in the context in which it made the call. */
  private readonly caller: Context = context.active();
  private readonly operation: Operation;
  private readonly target: string;
  private readonly events: MessageEvents | undefined;

  constructor(
    method: string,
    definition: MethodDefinition,
    private readonly call: ClientInterceptingCall,
    private readonly options: ResolvedGrpc,
  ) {
    this.target = call.getPeer();
    const attributes = { ...callAttributes(method), ...serverAddress(this.target) };
    this.operation = Operation.start(method, { kind: SpanKind.CLIENT, attributes });
    this.events =
      options.messageEvents && this.operation.recording ? MessageEvents.of(definition, this.operation.span) : undefined;
  }

  start(start: ClientInterceptingCall['start'], metadata: Metadata, listener: ClientListener): void {
    const { operation } = this;
    // The application may use its metadata for other calls as well.
    const sent = metadata.clone();
    guarded('The propagator', () => propagation.inject(operation.context, sent, metadataSetter));
    operation.describe('grpc metadata', () =>
      headerAttributes(this.options.requestMetadata, requestHeaderAttribute, (name) => sent.get(name)),
    );
    try {
      operation.run(() => start(sent, this.handOn(listener)));
    } catch (thrown) {
      operation.fail(thrown);
      operation.end();
      throw thrown;
    }
    if (this.events) this.watchMessages(this.events);
  }

  private handOn(listener: ClientListener): ClientListener {
    const { caller, events, operation, options } = this;
    return {
      onReceiveMetadata: (metadata) => {
        if (options.responseMetadata.length > 0) {
          operation.describe('grpc metadata', () => this.responseMetadata(metadata, responseHeaderAttribute));
        }
        context.with(caller, () => listener.onReceiveMetadata?.(metadata));
      },
      onReceiveMessage: (message) => {
        // Null stands for the message that a failed call does not have.
        if (message !== null) events?.messageReceived();
        context.with(caller, () => listener.onReceiveMessage?.(message));
      },
      onReceiveStatus: (status) => {
        this.end(status);
        context.with(caller, () => listener.onReceiveStatus?.(status));
      },
    };
  }

  private watchMessages(events: MessageEvents): void {
    const { call } = this;
    const send = call.sendMessageWithContext.bind(call);
    call.sendMessageWithContext = (sending, message) => {
      events.messageSent();
      send(sending, message);
    };
  }

  private end(status: Status): void {
    const { operation } = this;
    if (operation.recording) {
      operation.describe('grpc attributes', () => this.attributes(status));
      guarded('grpc status', () => setCallStatus(operation, status, 'client'));
    }
    operation.end();
  }

  private attributes({ metadata: trailer }: Status): Attributes {
    const peer = this.call.getPeer();
    // Until a connection is chosen, the channel's target stands in.
    const { address, port } = (peer !== this.target && parseAddress(peer)) || {};
    return {
      ...(address !== undefined && { [ATTR_NETWORK_PEER_ADDRESS]: address }),
      ...(port !== undefined && { [ATTR_NETWORK_PEER_PORT]: port }),
      ...(trailer && this.responseMetadata(trailer, responseTrailerAttribute)),
    };
  }

  private responseMetadata(metadata: Metadata, attribute: (name: string) => string): Attributes {
    return headerAttributes(this.options.responseMetadata, attribute, (name) => metadata.get(name));
  }
}
