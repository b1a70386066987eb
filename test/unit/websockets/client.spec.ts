import { describe, expect, it } from '@jest/globals';
import { messageCarrier, messageGetter } from '../../../lib/websockets/message-carrier.js';
import { readClient, readHandshake } from '../../../lib/websockets/socket-client.js';

describe('a client', () => {
  it.each<[client: unknown, expected: object]>([
    [
      { id: 'x', nsp: { name: '/chat' } },
      { protocol: 'socket.io', namespace: '/chat', id: 'x' },
    ],
    [
      { id: 7, nsp: { name: '/' } },
      { protocol: 'socket.io', namespace: '/', id: undefined },
    ],
    [{ readyState: 1 }, { protocol: 'websocket', namespace: undefined, id: undefined }],
    [undefined, { protocol: 'websocket', namespace: undefined, id: undefined }],
    ['text', { protocol: 'websocket', namespace: undefined, id: undefined }],
  ])('%j is %j', (client, expected) => {
    expect(readClient(client)).toEqual(expected);
  });

  it.each<[client: unknown, request: unknown, expected: object | undefined]>([
    [{ handshake: { headers: { a: 'b' }, address: '::1' } }, undefined, { headers: { a: 'b' }, address: '::1' }],
    [{}, { headers: { a: 'b' }, socket: { remoteAddress: '::1' } }, { headers: { a: 'b' }, address: '::1' }],
    [{}, { headers: {} }, { headers: {}, address: undefined }],
    [{}, undefined, undefined],
    [null, 'text', undefined],
  ])('%j with %j has connected with %j', (client, request, expected) => {
    expect(readHandshake(client, request)).toEqual(expected);
  });
});

describe('the carrier of a message', () => {
  const carried = { traceparent: 'x' };
  const find = (data: unknown, carrier?: (message: { data: unknown }) => object | undefined) =>
    messageCarrier({ event: 'e', data, client: {} }, carrier);

  it.each<[data: unknown, expected: object | undefined]>([
    [{ _meta: carried }, carried],
    [[1, { _meta: carried }], carried],
    [[1, 2, 3, 4, 5, 6, 7, 8, { _meta: carried }], undefined],
    [{ _meta: 'text' }, undefined],
    [{ _meta: null }, undefined],
    [Object.create({ _meta: carried }), undefined],
    [null, undefined],
    ['text', undefined],
  ])('of %j is %j', (data, expected) => {
    expect(find(data)).toBe(expected);
  });

  it('is where the application says, and none if that throws', () => {
    expect(find({ headers: carried }, ({ data }) => (data as { headers: object }).headers)).toBe(carried);
    expect(find(null, ({ data }) => (data as { headers: object }).headers)).toBeUndefined();
    expect(find(1, () => 'text' as never)).toBeUndefined();
  });

  it('has texts of its own only', () => {
    expect(messageGetter.get({ a: 'b' }, 'a')).toBe('b');
    expect(messageGetter.get({ a: ['b'] }, 'a')).toBeUndefined();
    expect(messageGetter.get({}, 'constructor')).toBeUndefined();
  });
});
