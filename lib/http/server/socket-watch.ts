import type { Socket } from 'node:net';

type Watcher = () => void;

/**
 * The watchers of each socket. They are in an array, since a connection rarely serves more than one request at a time. A Set that is
 * filled and emptied by each request leaves hash tables behind, which reference one another and the requests in them until the next full
 * garbage collection.
 */
const watchersBySocket = new WeakMap<Socket, Watcher[]>();

/**
 * Calls `watcher` when the socket closes, until the returned function is called.
 *
 * A pipelined response whose client disconnects emits no event itself; only its socket does. All requests of a keep-alive connection share
 * one listener, since thousands of requests may use one socket.
 */
export function watchSocket(socket: Socket, watcher: Watcher): () => void {
  const watchers = watchersBySocket.get(socket) ?? startWatching(socket);
  watchers.push(watcher);
  return () => {
    const index = watchers.indexOf(watcher);
    if (index !== -1) watchers.splice(index, 1);
  };
}

function startWatching(socket: Socket): Watcher[] {
  const watchers: Watcher[] = [];
  watchersBySocket.set(socket, watchers);
  socket.once('close', () => {
    for (const watch of [...watchers]) watch();
  });
  return watchers;
}
