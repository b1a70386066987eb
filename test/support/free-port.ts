import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A port on which no process listens, for servers that need their port before they bind. It lies below those that the system
 * gives to outgoing connections, and is chosen at random, because other test processes look for one as well.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    server.listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
