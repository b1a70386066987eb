import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** Returns a port that is not in use: Nest does not tell which port a gRPC server has chosen. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
