import type { ClientRequest as NodeRequest, IncomingMessage } from 'node:http';
import type { ChannelHandlers } from '../../core/channel.js';
import { callSafely } from '../../core/diagnostics.js';
import { isUntraced } from '../../core/suppression.js';
import { ClientRequest, type ClientRequestOptions } from './client-request.js';
import { nodeRequestEnd, type NodeRequestEnd } from './node-end.js';
import { NodeResponse, NodeMessage } from './node-message.js';

/** The message of a diagnostics channel about a request. */
interface RequestEvent {
  readonly request: NodeRequest;
}

/** The events of a request so far. */
interface ObservedRequest {
  /** Undefined if the request is not traced. */
  readonly clientRequest: ClientRequest | undefined;
  response?: IncomingMessage;
  reportedError?: { readonly error: unknown };
}

const requests = new WeakMap<NodeRequest, ObservedRequest>();

/**
 * The channels of `node:http` and `node:https`. Node 20 does not announce that a request was created. There, tracing begins
 * when the request was sent or has failed, whichever happens first.
 */
export function nodeHttpChannels(options: () => ClientRequestOptions | undefined): ChannelHandlers {
  const observe = (request: NodeRequest) => requests.get(request) ?? startObserving(request, options());
  return {
    'http.client.request.created': ({ request }: RequestEvent) => void observe(request),
    'http.client.request.start': ({ request }: RequestEvent) => void observe(request),
    'http.client.response.finish': ({ request, response }: RequestEvent & { readonly response: IncomingMessage }) => {
      const observed = observe(request);
      if (!observed) return;
      observed.response = response;
      recordResponse(request, response, observed);
    },
    'http.client.request.error': ({ request, error }: RequestEvent & { readonly error: unknown }) => {
      const observed = observe(request);
      if (observed) observed.reportedError = { error };
    },
  };
}

function startObserving(request: NodeRequest, options: ClientRequestOptions | undefined): ObservedRequest | undefined {
  if (!options) return undefined;
  // CONNECT opens a tunnel. The requests inside the tunnel are traced instead.
  const isIgnored = request.method === 'CONNECT' || isUntraced((request as { agent?: unknown }).agent);
  const start = () => ClientRequest.start(new NodeMessage(request), options);
  const clientRequest = isIgnored ? undefined : callSafely('The beginning of an outgoing request', start);
  const observed: ObservedRequest = { clientRequest };
  requests.set(request, observed);
  if (clientRequest && !listenForEnd(request, observed)) clientRequest.complete();
  return observed;
}

/**
 * Adds listeners for the end of a request. Returns false if that fails. There is none for 'response' or 'error': it would
 * change what Node does if the application has none.
 */
function listenForEnd(request: NodeRequest, observed: ObservedRequest): boolean {
  const end = () => callSafely('The end of an outgoing request', () => endTraced(request, observed));
  return Boolean(
    callSafely('The beginning of an outgoing request', () => {
      // A head that is written by then still waits for the socket, so it can be changed.
      if (!request.headersSent) request.once('socket', () => observed.clientRequest?.beforeHead());
      return request.once('close', end);
    }),
  );
}

function endTraced(request: NodeRequest, observed: ObservedRequest): void {
  const { clientRequest } = observed;
  if (!clientRequest) return;
  const end = callSafely('The end of an outgoing request', () => observedEnd(request, observed)) ?? 'complete';
  if (end === 'complete') clientRequest.complete();
  else if (end === 'cancelled') clientRequest.cancel();
  else clientRequest.fail(end.error);
}

function observedEnd(request: NodeRequest, observed: ObservedRequest): NodeRequestEnd {
  // No channel announces the response that switches the connection to another protocol.
  const response = observed.response ?? (request as { res?: IncomingMessage | null }).res ?? undefined;
  if (response && !observed.response) recordResponse(request, response, observed);
  return nodeRequestEnd(request, response, observed.reportedError);
}

function recordResponse({ socket }: NodeRequest, response: IncomingMessage, { clientRequest }: ObservedRequest): void {
  clientRequest?.receiveHead(new NodeResponse(response));
  clientRequest?.setConnection(() => ({
    peerAddress: socket?.remoteAddress,
    peerPort: socket?.remotePort,
    protocolVersion: response.httpVersion,
  }));
}
