import { describe, expect, it } from '@jest/globals';
import { resolveWebSockets, type IncomingSocketMessage } from '../../../lib/options/websockets.js';

const websockets = (given?: unknown) => resolveWebSockets(given as never);
const message = (event: string): IncomingSocketMessage => ({ event, data: undefined, client: {} });

describe('websockets', () => {
  it.each([[undefined], [true], ['true'], [{}]])('is on with %j', (given) => {
    expect(websockets(given)).toEqual({
      ignore: undefined,
      trustIncoming: undefined,
      carrier: undefined,
      connections: true,
    });
  });

  it.each([[false], ['false']])('is off with %j', (given) => {
    expect(websockets(given)).toBeUndefined();
  });

  it.each([[7], ['yes'], [null], [[]], [{ ignored: [] }], [{ carrier: 'data' }], [{ connections: 'maybe' }]])(
    'refuses %j',
    (given) => {
      expect(() => websockets(given)).toThrow(
        expect.objectContaining({ option: expect.stringMatching(/^websockets/) }),
      );
    },
  );
});

describe('websockets.ignore', () => {
  it.each<[ignore: unknown, event: string, expected: boolean]>([
    ['typing', 'typing', true],
    ['typing', 'typing.start', false],
    ['cursor.*', 'cursor.move', true],
    [['typing', /^cur/], 'cursor', true],
    [[], 'typing', false],
    [({ event }: IncomingSocketMessage) => event === 'typing', 'typing', true],
  ])('%s and %s: %s', (ignore, event, expected) => {
    expect(websockets({ ignore })?.ignore?.(message(event))).toBe(expected);
  });

  it.each([[''], [7], [['typing', null]]])('refuses %j', (ignore) => {
    expect(() => websockets({ ignore })).toThrow(
      expect.objectContaining({ option: expect.stringContaining('websockets.ignore') }),
    );
  });
});

describe('websockets.trustIncoming', () => {
  it.each([
    [true, undefined],
    [false, false],
    ['false', false],
  ])('%j', (trustIncoming, expected) => {
    expect(websockets({ trustIncoming })?.trustIncoming?.(message('a'))).toBe(expected);
  });
});
