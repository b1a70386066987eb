import { once } from 'node:events';
import { createServer } from 'node:net';

/** Creates a backend that is up, is down (refuses connections), or is silent (accepts them and does not respond). */
export async function backendState(name, backend) {
  if (name === 'up') return { endpoint: backend.endpoint, close: () => {} };
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${server.address().port}`;
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  if (name === 'silent') return { endpoint, close };
  // No process listens on a port that was just released, so connections are refused.
  close();
  return { endpoint, close: () => {} };
}
