import { isIP, type Socket } from 'node:net';

interface SecureConnector {
  connect?(socket: Socket): unknown;
  readonly connectionOptions?: { servername?: string };
}

/**
 * The connections of an exporter over gRPC, which can be closed when the application shuts down: a gRPC client waits for its
 * pending calls when it is closed, and a backend that never answers would keep the process alive.
 */
export class GrpcConnections {
  readonly #sockets = new Set<Socket>();

  /** Watches the connections that are made with these credentials, if this release of grpc-js has the method for it. */
  watch<T extends object>(credentials: T): T {
    const create: unknown = Reflect.get(credentials, '_createSecureConnector');
    if (typeof create !== 'function') return credentials;
    Reflect.set(credentials, '_createSecureConnector', (...args: unknown[]) => {
      const connector = Reflect.apply(create, credentials, args) as SecureConnector;
      removeAddressAsName(connector);
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

// grpc-js gives the address as the server name if the server has no name. TLS does not allow that, and Node 26 refuses it; without
// a name the certificate is still compared with the address.
function removeAddressAsName({ connectionOptions }: SecureConnector): void {
  if (connectionOptions && isIP(connectionOptions.servername ?? '') !== 0) connectionOptions.servername = '';
}
