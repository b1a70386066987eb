import { describe, expect, it } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { resolveOptions } from '../../../lib/options/resolve-options.js';
import { TracingConfigurationError } from '../../../lib/tracing.errors.js';
import type { GrpcCall } from '../../../lib/options/grpc.js';
import type { TracingOptions } from '../../../lib/tracing.options.js';

const resolve = (options: unknown) => resolveOptions(options as TracingOptions, {}, () => undefined);
const request = { url: '/' } as IncomingMessage;
const call: GrpcCall = { method: 'shop.Orders/Place', side: 'server', metadata: { get: () => [] } };

describe('trustIncoming', () => {
  it.each<[given: unknown, trusted: boolean]>([
    [undefined, true],
    [true, true],
    ['true', true],
    [false, false],
    [' FALSE ', false],
    [() => true, true],
    [() => false, false],
  ])('%p is resolved for HTTP and gRPC', (trustIncoming, trusted) => {
    const { http, grpc } = resolve({ http: { trustIncoming }, grpc: { trustIncoming } });
    expect(http?.trustIncoming?.(request) ?? true).toBe(trusted);
    expect(grpc?.trustIncoming?.(call) ?? true).toBe(trusted);
  });

  it.each(['http', 'grpc'])('of %s refuses any other value', (side) => {
    for (const trustIncoming of ['yes', 1, null, {}, ['10.0.0.1']]) {
      const settle = () => resolve({ [side]: { trustIncoming } });
      expect(settle).toThrow(TracingConfigurationError);
      expect(settle).toThrow(`"${side}.trustIncoming" is`);
      expect(settle).toThrow('Use true, false, or a function that returns one of them.');
    }
  });
});

describe('baggage', () => {
  it('becomes no attribute and is sent as a whole by default', () => {
    for (const options of [{}, { baggage: undefined }, { baggage: {} }]) {
      expect(resolve(options).baggage).toEqual({ attributes: [], propagate: undefined });
    }
  });

  it('becomes attributes and is sent by lists of keys', () => {
    const { baggage } = resolve({ baggage: { attributes: ['tenant.id', ' user ', 'user'], propagate: ['tenant.id'] } });
    expect(baggage.attributes).toEqual(['tenant.id', 'user']);
    expect(['tenant.id', 'user', 'Tenant.Id'].map((key) => baggage.propagate?.(key))).toEqual([true, false, false]);
    expect([baggage, baggage.attributes].every((it) => Object.isFrozen(it))).toBe(true);
  });

  it('is sent by a function of the key, or not at all', () => {
    const propagate = (key: string) => key.startsWith('public.');
    expect(resolve({ baggage: { propagate } }).baggage.propagate).toBe(propagate);
    expect(resolve({ baggage: { propagate: [] } }).baggage.propagate?.('a')).toBe(false);
  });

  it.each<[baggage: unknown, option: string, fix: string]>([
    [true, 'baggage', 'Give an object with some of: attributes, propagate.'],
    [{ attribute: [] }, 'baggage.attribute', 'Did you mean "attributes"?'],
    [{ attributes: 'tenant.id' }, 'baggage.attributes', "Give a list of baggage keys, such as ['tenant.id']."],
    [{ attributes: ['a', ''] }, 'baggage.attributes[1]', 'Give the key of a baggage entry.'],
    [{ propagate: true }, 'baggage.propagate', 'Give a list of baggage keys'],
    [{ propagate: [7] }, 'baggage.propagate[0]', 'Give the key of a baggage entry.'],
  ])('refuses %j', (baggage, option, fix) => {
    const settle = () => resolve({ baggage });
    expect(settle).toThrow(TracingConfigurationError);
    expect(settle).toThrow(`"${option}" is`);
    expect(settle).toThrow(fix);
  });

  it('has attributes that the provider of another SDK does not add', () => {
    expect(resolve({ baggage: { attributes: ['a'], propagate: ['a'] } }).providerOptionsGiven).toEqual([
      'baggage.attributes',
    ]);
  });
});
