import { propagation, ROOT_CONTEXT, SpanKind, type Attributes, type Context } from '@opentelemetry/api';
import {
  ATTR_CLIENT_ADDRESS,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
} from '@opentelemetry/semantic-conventions';
import { guarded } from '../core/diagnostics.js';
import { withEntry, type Entry } from '../core/entry.js';
import { headerAttributes } from '../core/header-attributes.js';
import { Operation } from '../core/operation.js';
import type { ResolvedGrpc } from '../options/resolved-options.js';
import { parseAddress, serverAddress } from './address.js';
import {
  callAttributes,
  methodName,
  requestHeaderAttribute,
  responseHeaderAttribute,
  responseTrailerAttribute,
  setCallStatus,
} from './call-attributes.js';
import type { Metadata, MethodDefinition, ServerInterceptingCall, ServerListener, Status } from './grpc-js.js';
import { MessageEvents } from './message-events.js';
import { metadataGetter } from './metadata-carrier.js';
import { CANCELLED, DEADLINE_EXCEEDED } from './status-code.js';

/**
 * A caller whose deadline passes goes away, and the news arrives when the server's own clock is about to say the same, in
 * milliseconds: what comes this early is the deadline and not a change of mind.
 */
const DEADLINE_SLACK = 10;

/** One incoming gRPC call and its server span, from its metadata to its status. */
export class ServerCall implements Entry {
  private readonly method: string;
  private readonly operation: Operation;
  private events: MessageEvents | undefined;
  private handled = false;
  private over = false;

  constructor(
    private readonly definition: MethodDefinition,
    private readonly call: ServerInterceptingCall,
    private readonly metadata: Metadata,
    private readonly options: ResolvedGrpc,
  ) {
    this.method = methodName(definition.path);
    this.operation = this.start();
    if (this.operation.recording) this.watch();
  }

  private start(): Operation {
    const { metadata, method, options } = this;
    if (guarded('grpc.ignore', () => options.ignore({ method, side: 'server', metadata }))) {
      return Operation.suppressed(this.within(ROOT_CONTEXT));
    }
    // Not the active context: a server that was started inside a span would hang every call below it.
    const caller = guarded('The propagator', () => propagation.extract(ROOT_CONTEXT, metadata, metadataGetter));
    return Operation.start(method, {
      kind: SpanKind.SERVER,
      parent: this.within(caller ?? ROOT_CONTEXT),
      attributes: callAttributes(method),
    });
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
    if (options.responseMetadata.length > 0) this.watchMetadata();
    if (options.messageEvents) this.watchMessages(MessageEvents.of(definition, operation.span));
  }

  private watchMetadata(): void {
    const { call, operation } = this;
    const sendMetadata = call.sendMetadata.bind(call);
    call.sendMetadata = (metadata) => {
      operation.describe('grpc metadata', () => this.responseMetadata(metadata, responseHeaderAttribute));
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
    const { events, operation } = this;
    return {
      onReceiveMetadata: (metadata) => operation.run(() => listener.onReceiveMetadata(metadata)),
      onReceiveMessage: (message) => {
        events?.messageReceived();
        operation.run(() => listener.onReceiveMessage(message));
      },
      onReceiveHalfClose: () => operation.run(() => listener.onReceiveHalfClose()),
      onCancel: () => {
        operation.run(() => listener.onCancel());
        // It also comes after a status that was sent, when there is nothing left to end.
        this.end({ code: this.deadlineHasPassed() ? DEADLINE_EXCEEDED : CANCELLED });
      },
    };
  }

  guardReached(): void {}

  handlerReached(): boolean {
    const first = !this.handled;
    this.handled = true;
    return first && this.operation.recording;
  }

  recordException(thrown: unknown): void {
    this.operation.recordException(thrown);
  }

  discard(): void {
    this.over = true;
    this.operation.discard();
  }

  private end(status: Status): void {
    if (this.over) return;
    this.over = true;
    const { operation } = this;
    if (operation.recording) {
      operation.describe('grpc attributes', () => this.attributes(status));
      guarded('grpc status', () => setCallStatus(operation, status, 'server'));
    }
    operation.end();
  }

  private attributes({ metadata: trailer }: Status): Attributes {
    const { call, metadata, options } = this;
    const peer = this.peer();
    return {
      ...serverAddress(call.getHost()),
      ...(peer && {
        [ATTR_CLIENT_ADDRESS]: peer.address,
        [ATTR_NETWORK_PEER_ADDRESS]: peer.address,
        ...(peer.port !== undefined && { [ATTR_NETWORK_PEER_PORT]: peer.port }),
      }),
      ...headerAttributes(options.requestMetadata, requestHeaderAttribute, (name) => metadata.get(name)),
      ...(trailer && this.responseMetadata(trailer, responseTrailerAttribute)),
    };
  }

  private responseMetadata(metadata: Metadata, attribute: (name: string) => string): Attributes {
    return headerAttributes(this.options.responseMetadata, attribute, (name) => metadata.get(name));
  }

  private peer(): ReturnType<typeof parseAddress> {
    const { call } = this;
    // A connection that is gone no longer says who it was with.
    const { remoteAddress, remotePort } = call.getConnectionInfo?.() ?? {};
    if (remoteAddress === undefined) return parseAddress(call.getPeer());
    return { address: remoteAddress, ...(remotePort !== undefined && { port: remotePort }) };
  }

  private deadlineHasPassed(): boolean {
    return Date.now() + DEADLINE_SLACK >= Number(this.call.getDeadline());
  }
}
