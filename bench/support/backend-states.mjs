import { once } from 'node:events';
import { createServer } from 'node:net';

/** The ways a backend can be: there, refusing connections, or taking them and saying nothing. */
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
  // A port that was free a moment ago: whoever connects is refused.
  close();
  return { endpoint, close: () => {} };
}
