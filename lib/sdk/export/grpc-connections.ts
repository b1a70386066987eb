import { isIP, type Socket } from 'node:net';

interface SecureConnector {
  connect?(socket: Socket): unknown;
  readonly connectionOptions?: { servername?: string };
}

/**
 * The connections of an exporter over gRPC, with the means to end them when the application closes: a gRPC client that is
 * closed waits for the calls that are under way, and a backend that never answers would keep the process alive.
 */
export class GrpcConnections {
  readonly #sockets = new Set<Socket>();

  /** Learns of the connections that are made with these credentials, as far as this release of grpc-js lets it. */
  watch<T extends object>(credentials: T): T {
    const create: unknown = Reflect.get(credentials, '_createSecureConnector');
    if (typeof create !== 'function') return credentials;
    Reflect.set(credentials, '_createSecureConnector', (...args: unknown[]) => {
      const connector = Reflect.apply(create, credentials, args) as SecureConnector;
      withoutAddressForName(connector);
      const connect = connector.connect;
      if (connect) {
        connector.connect = (socket) => {
          this.#add(socket);
          return Reflect.apply(connect, connector, [socket]);
        };
      }
      return connector;
    });
    return credentials;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

// grpc-js names the server by its address where it has no name. TLS has no such thing, and Node 26 refuses it; without it the
// certificate is still compared with the address.
function withoutAddressForName({ connectionOptions }: SecureConnector): void {
  if (connectionOptions && isIP(connectionOptions.servername ?? '') !== 0) connectionOptions.servername = '';
}
