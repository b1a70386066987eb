import type { TLSSocket } from 'node:tls';
import type { ChannelHandlers } from '../../core/channel.js';
import { ClientRequest, type ClientRequestOptions } from './client-request.js';
import { undiciCaller } from './undici-caller.js';
import { UndiciAnswer, UndiciMessage, type UndiciRequest, type UndiciResponse } from './undici-message.js';

const requests = new WeakMap<UndiciRequest, ClientRequest>();

interface About {
  readonly request: UndiciRequest;
}

/** The channels of undici, and of Node's own fetch and EventSource. They come in any context: only the first is the caller's. */
export function undiciChannels(options: () => ClientRequestOptions | undefined): ChannelHandlers {
  return {
    'undici:request:create': ({ request }: About) => {
      // Nothing tells of the end of a connection that was taken over, a WebSocket's or a tunnel's.
      if (request.upgrade || request.method === 'CONNECT') return;
      const current = options();
      const begun = current && ClientRequest.start(new UndiciMessage(request), current, undiciCaller(request));
      if (begun) requests.set(request, begun);
    },
    'undici:client:sendHeaders': ({ request, socket }: About & { readonly socket: Partial<TLSSocket> }) => {
      requests.get(request)?.connected(() => ({
        peerAddress: socket.remoteAddress,
        peerPort: socket.remotePort,
        protocolVersion: socket.alpnProtocol === 'h2' ? '2' : '1.1',
      }));
    },
    'undici:request:headers': ({ request, response }: About & { readonly response: UndiciResponse }) => {
      requests.get(request)?.answered(new UndiciAnswer(response));
    },
    'undici:request:trailers': ({ request }: About) => {
      requests.get(request)?.complete();
    },
    'undici:request:error': ({ request, error }: About & { readonly error: unknown }) => {
      requests.get(request)?.fail(error);
    },
  };
}
