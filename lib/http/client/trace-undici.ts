import type { TLSSocket } from 'node:tls';
import type { ChannelHandlers } from '../../core/channel.js';
import { ClientRequest, type ClientRequestOptions } from './client-request.js';
import { undiciCaller } from './undici-caller.js';
import { UndiciResponse, UndiciMessage, type UndiciRequest, type UndiciResponseHead } from './undici-message.js';

const requests = new WeakMap<UndiciRequest, ClientRequest>();

/** The message of a diagnostics channel about a request. */
interface RequestEvent {
  readonly request: UndiciRequest;
}

/**
 * The channels of undici, which Node's own fetch and EventSource also use. Only the first event comes in the context of the
 * caller, the others in any context.
 */
export function undiciChannels(options: () => ClientRequestOptions | undefined): ChannelHandlers {
  return {
    'undici:request:create': ({ request }: RequestEvent) => {
      // undici does not announce the end of a connection that is used as a WebSocket or as a tunnel.
      if (request.upgrade || request.method === 'CONNECT') return;
      const current = options();
      const clientRequest = current && ClientRequest.start(new UndiciMessage(request), current, undiciCaller(request));
      if (clientRequest) requests.set(request, clientRequest);
    },
    'undici:client:sendHeaders': ({ request, socket }: RequestEvent & { readonly socket: Partial<TLSSocket> }) => {
      requests.get(request)?.setConnection(() => ({
        peerAddress: socket.remoteAddress,
        peerPort: socket.remotePort,
        protocolVersion: socket.alpnProtocol === 'h2' ? '2' : '1.1',
      }));
    },
    'undici:request:headers': ({ request, response }: RequestEvent & { readonly response: UndiciResponseHead }) => {
      requests.get(request)?.receiveHead(new UndiciResponse(response));
    },
    'undici:request:trailers': ({ request }: RequestEvent) => {
      requests.get(request)?.complete();
    },
    'undici:request:error': ({ request, error }: RequestEvent & { readonly error: unknown }) => {
      requests.get(request)?.fail(error);
    },
  };
}
