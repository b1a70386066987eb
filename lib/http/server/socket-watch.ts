import type { Socket } from 'node:net';

type Watcher = () => void;

const watchersOf = new WeakMap<Socket, Set<Watcher>>();

/**
 * Calls `watcher` when the socket closes, until the returned function is called.
 *
 * A pipelined response whose client goes away emits nothing of its own; only its socket does. All requests of a
 * keep-alive connection share one listener: thousands may come over one socket.
 */
export function watchSocket(socket: Socket, watcher: Watcher): () => void {
  let watchers = watchersOf.get(socket);
  if (!watchers) {
    const shared = (watchers = new Set<Watcher>());
    watchersOf.set(socket, shared);
    socket.once('close', () => {
      for (const watch of [...shared]) watch();
    });
  }
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}
