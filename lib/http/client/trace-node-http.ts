import type { ClientRequest as NodeRequest, IncomingMessage } from 'node:http';
import type { ChannelHandlers } from '../../core/channel.js';
import { guarded } from '../../core/diagnostics.js';
import { isUntraced } from '../../core/suppression.js';
import { ClientRequest, type ClientRequestOptions } from './client-request.js';
import { endOfRequest, type NodeEnd } from './node-end.js';
import { NodeAnswer, NodeMessage } from './node-message.js';

interface About {
  readonly request: NodeRequest;
}

/** What channels have told of a request. */
interface Observed {
  readonly traced: ClientRequest | undefined;
  response?: IncomingMessage;
  reported?: { readonly error: unknown };
}

const requests = new WeakMap<NodeRequest, Observed>();

/**
 * The channels of `node:http` and `node:https`. Node 20 does not say that a request was created: there it begins when it
 * has been sent, or has failed, whichever comes first.
 */
export function nodeHttpChannels(options: () => ClientRequestOptions | undefined): ChannelHandlers {
  const observe = (request: NodeRequest) => requests.get(request) ?? begin(request, options());
  return {
    'http.client.request.created': ({ request }: About) => void observe(request),
    'http.client.request.start': ({ request }: About) => void observe(request),
    'http.client.response.finish': ({ request, response }: About & { readonly response: IncomingMessage }) => {
      const observed = observe(request);
      if (!observed) return;
      observed.response = response;
      noteConnection(request, response, observed);
    },
    'http.client.request.error': ({ request, error }: About & { readonly error: unknown }) => {
      const observed = observe(request);
      if (observed) observed.reported = { error };
    },
  };
}

function begin(request: NodeRequest, options: ClientRequestOptions | undefined): Observed | undefined {
  if (!options) return undefined;
  // A tunnel's, which is what the requests inside it are traced for.
  const leftAlone = request.method === 'CONNECT' || isUntraced((request as { agent?: unknown }).agent);
  const begin = () => ClientRequest.start(new NodeMessage(request), options);
  const traced = leftAlone ? undefined : guarded('The beginning of an outgoing request', begin);
  const observed: Observed = { traced };
  requests.set(request, observed);
  if (traced && !listen(request, observed)) traced.complete();
  return observed;
}

// Listeners for 'response' and 'error' would change what Node does where the application has none.
function listen(request: NodeRequest, observed: Observed): boolean {
  const end = () => guarded('The end of an outgoing request', () => endTraced(request, observed));
  return Boolean(
    guarded('The beginning of an outgoing request', () => {
      // A head that is written by then waits for the connection.
      if (!request.headersSent) request.once('socket', () => observed.traced?.ready());
      return request.once('close', end);
    }),
  );
}

function endTraced(request: NodeRequest, observed: Observed): void {
  const { traced } = observed;
  if (!traced) return;
  const outcome = guarded('The end of an outgoing request', () => outcomeOf(request, observed)) ?? 'complete';
  if (outcome === 'complete') traced.complete();
  else if (outcome === 'cancelled') traced.cancel();
  else traced.fail(outcome.error);
}

function outcomeOf(request: NodeRequest, observed: Observed): NodeEnd {
  // No channel tells of the answer that hands the connection over to another protocol.
  const response = observed.response ?? (request as { res?: IncomingMessage | null }).res ?? undefined;
  if (response && !observed.response) noteConnection(request, response, observed);
  return endOfRequest(request, response, observed.reported);
}

function noteConnection({ socket }: NodeRequest, response: IncomingMessage, { traced }: Observed): void {
  traced?.answered(new NodeAnswer(response));
  traced?.connected(() => ({
    peerAddress: socket?.remoteAddress,
    peerPort: socket?.remotePort,
    protocolVersion: response.httpVersion,
  }));
}
