import { describe, expect, it } from '@jest/globals';
import { resolveGrpc, type GrpcCall, type GrpcOptions } from '../../../lib/options/grpc.js';

const grpc = (options?: unknown) => resolveGrpc(options as GrpcOptions);
const call = (method: string): GrpcCall => ({ method, side: 'client', metadata: { get: () => [] } });

describe('grpc.ignore', () => {
  it.each<[ignore: unknown, method: string, expected: boolean]>([
    ['shop.Orders/Place', 'shop.Orders/Place', true],
    ['shop.Orders/Place', 'shop.Orders/PlaceAll', false],
    ['shop.Orders/Place', 'shop.orders/place', false],
    ['shop.Orders/*', 'shop.Orders/Place', true],
    ['shop.Orders/*', 'shop.OrdersAdmin/Place', false],
    ['shop.*', 'shop.Orders/Place', true],
    ['*/Place', 'shop.Orders/Place', true],
    ['shop.v1.*/Get*', 'shop.v1.Orders/GetOne', true],
    ['shop.Orders', 'shop.Orders/Place', false],
    [/Orders\/P/, 'shop.Orders/Place', true],
    [['a.B/C', /Place$/], 'shop.Orders/Place', true],
    [[], 'shop.Orders/Place', false],
    [({ method }: GrpcCall) => method.endsWith('Place'), 'shop.Orders/Place', true],
  ])('%s and %s: %s', (ignore, method, expected) => {
    expect(grpc({ ignore }).ignore(call(method))).toBe(expected);
  });

  it.each(['g', 'y', 'gy'])('does not depend on the last call with the flag %s', (flags) => {
    const pattern = new RegExp('shop', flags);
    const { ignore } = grpc({ ignore: pattern });
    expect([1, 2, 3].map(() => ignore(call('shop.Orders/Place')))).toEqual([true, true, true]);
    expect(pattern.lastIndex).toBe(0);
  });

  it.each([['/shop.Orders/Place'], ['shop Orders'], ['shop/Orders/Place'], [['a.B/C', 7]], [null], [''], [{}]])(
    'refuses %j',
    (ignore) => {
      expect(() => grpc({ ignore })).toThrow(
        expect.objectContaining({ option: expect.stringContaining('grpc.ignore') }),
      );
    },
  );

  it('names the wrong entry and the fix', () => {
    expect(() => grpc({ ignore: ['a.B/C', 'no method'] })).toThrow(
      'Tracing option "grpc.ignore[1]" is "no method". Write a full name, such as shop.Orders/Place or shop.Orders/*',
    );
  });
});

describe('grpc.builtInServices', () => {
  const methods = [
    'grpc.health.v1.Health/Check',
    'grpc.health.v1.Health/Watch',
    'grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
    'grpc.health.mine.Extra/Check',
    'my.grpc.health.v1.Health/Check',
    'grpc.testing.TestService/UnaryCall',
  ];

  it.each<[unknown, number]>([
    [undefined, 4],
    [{ builtInServices: false }, 4],
    [{ builtInServices: 'false' }, 4],
    [{ builtInServices: true }, 0],
    [{ builtInServices: true, ignore: 'grpc.health.*' }, 3],
    [{ ignore: () => false }, 4],
  ])('with %j ignores %i of them', (options, expected) => {
    const { ignore } = grpc(options);
    expect(methods.filter((method) => ignore(call(method)))).toHaveLength(expected);
  });

  it('does not call the function of ignore for built-in services', () => {
    const seen: string[] = [];
    const { ignore } = grpc({ ignore: ({ method }: GrpcCall) => !seen.push(method) });
    for (const method of methods) ignore(call(method));
    expect(seen).toEqual(methods.slice(4));
  });
});

describe('the options of gRPC', () => {
  it('have defaults, and are frozen', () => {
    const resolved = grpc();
    expect(resolved).toMatchObject({ requestMetadata: [], responseMetadata: [], messageEvents: false });
    expect(Object.isFrozen(resolved)).toBe(true);
  });

  it('contain the names of metadata in lower case, each once, and whether they are secret', () => {
    const { requestMetadata } = grpc({ requestMetadata: ['X-Id', 'x-id', 'Authorization'] });
    expect(requestMetadata).toEqual([
      { name: 'x-id', isSecret: false },
      { name: 'authorization', isSecret: true },
    ]);
  });

  it.each<[string, unknown]>([
    ['grpc', null],
    ['grpc', true],
    ['grpc', []],
    ['grpc.ignored', { ignored: [] }],
    ['grpc.builtInServices', { builtInServices: 'sometimes' }],
    ['grpc.messageEvents', { messageEvents: 1 }],
    ['grpc.requestMetadata', { requestMetadata: 'x-id' }],
    ['grpc.responseMetadata[0]', { responseMetadata: ['no name'] }],
  ])('refuse a wrong %s: %j', (option, options) => {
    expect(() => grpc(options)).toThrow(expect.objectContaining({ name: 'TracingConfigurationError', option }));
  });
});
