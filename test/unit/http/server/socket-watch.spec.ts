import { expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { watchSocket } from '../../../../lib/http/server/socket-watch.js';

it('puts one listener on a socket, however many watch it', () => {
  const socket = new EventEmitter() as Socket;
  let calls = 0;
  const unwatch = Array.from({ length: 1000 }, () => watchSocket(socket, () => calls++));
  expect(socket.listenerCount('close')).toBe(1);
  for (const stop of unwatch.slice(0, 990)) stop();
  socket.emit('close');
  expect(calls).toBe(10);
});

it('lets a watcher stop itself and others while it is called', () => {
  const socket = new EventEmitter() as Socket;
  const called: string[] = [];
  const stopFirst = watchSocket(socket, () => {
    called.push('first');
    stopFirst();
  });
  watchSocket(socket, () => called.push('second'));
  socket.emit('close');
  expect(called).toEqual(['first', 'second']);
});
