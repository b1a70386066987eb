import type { Socket } from 'node:net';

type Watcher = () => void;

/**
 * Those who watch each socket: a list, since a connection rarely serves more than one request at a time. A Set that fills
 * and empties with each request leaves tables behind that hold on to one another, and to the requests in them, until the next
 * full garbage collection.
 */
const watchersOf = new WeakMap<Socket, Watcher[]>();

/**
 * Calls `watcher` when the socket closes, until the returned function is called.
 *
 * A pipelined response whose client goes away emits nothing of its own; only its socket does. All requests of a
 * keep-alive connection share one listener: thousands may come over one socket.
 */
export function watchSocket(socket: Socket, watcher: Watcher): () => void {
  const watchers = watchersOf.get(socket) ?? beginToWatch(socket);
  watchers.push(watcher);
  return () => {
    const index = watchers.indexOf(watcher);
    if (index !== -1) watchers.splice(index, 1);
  };
}

function beginToWatch(socket: Socket): Watcher[] {
  const watchers: Watcher[] = [];
  watchersOf.set(socket, watchers);
  socket.once('close', () => {
    for (const watch of [...watchers]) watch();
  });
  return watchers;
}
