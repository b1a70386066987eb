import { describe, expect, it, jest } from '@jest/globals';
import { propagation, ROOT_CONTEXT, type BaggageEntryMetadata } from '@opentelemetry/api';
import { setDiagnosticsSink } from '../../../lib/core/diagnostics.js';
import { baggagePropagator as propagator } from '../../../lib/propagation/baggage.js';
import { baggageIn, read, withBaggage, write } from './messages.js';

setDiagnosticsSink({ warn() {} });

const entries = (baggage: unknown) => baggageIn(read(propagator, { baggage }));
const written = (...of: Parameters<typeof withBaggage>) => write(propagator, withBaggage(...of)).baggage;

describe('incoming baggage', () => {
  it.each<[what: string, baggage: unknown, expected: string[][]]>([
    ['one entry', 'userId=alice', [['userId', 'alice']]],
    [
      'several',
      'userId=alice,serverNode=DF%2028,isProduction=false',
      [
        ['userId', 'alice'],
        ['serverNode', 'DF 28'],
        ['isProduction', 'false'],
      ],
    ],
    [
      'properties',
      'key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue',
      [
        ['key1', 'value1', 'property1;property2'],
        ['key2', 'value2'],
        ['key3', 'value3', 'propertyKey=propertyValue'],
      ],
    ],
    ['white space', '\ta \t=\t b \t;\t p \t= q ; r\t', [['a', 'b', 'p=q;r']]],
    ['properties that are malformed', 'a=b;;=;p=q r;"x";é;ok', [['a', 'b', 'ok']]],
    ['nothing but malformed properties', 'a=b;;=', [['a', 'b']]],
    [
      'several headers, in their order',
      ['b=1,a=2', 'c=3'],
      [
        ['b', '1'],
        ['a', '2'],
        ['c', '3'],
      ],
    ],
    [
      'one key twice: the last counts',
      'a=1,b=2,a=3',
      [
        ['a', '3'],
        ['b', '2'],
      ],
    ],
    ['one key in two headers', ['a=1', 'a=2'], [['a', '2']]],
    ['no value', 'a=', [['a', '']]],
    ['equals signs in the value', 'a=b=c==', [['a', 'b=c==']]],
    ['empty members', ',, ,a=1,', [['a', '1']]],
    ['every special character, encoded', 'a=%2C%3B%3D%5C%22%20%25', [['a', ',;=\\" %']]],
    ['UTF-8, encoded', 'a=%C3%BC%E2%82%AC%F0%9F%98%80', [['a', 'ü€😀']]],
    ['a key that is encoded', 'user%20%C3%BC=1', [['user ü', '1']]],
    ['bytes that are no UTF-8', 'a=x%FFy%C3', [['a', 'x\ufffdy\ufffd']]],
    [
      'half a character',
      'a=%E2%82,b=1',
      [
        ['a', '\ufffd'],
        ['b', '1'],
      ],
    ],
    [
      'percent signs of nothing',
      'a=100%,b=%GG%41',
      [
        ['a', '100%'],
        ['b', '%GGA'],
      ],
    ],
    ['every character of a token', "!#$&'*+-.^_`|~09azAZ=1", [["!#$&'*+-.^_`|~09azAZ", '1']]],
    ['what many a sender leaves as it is', 'a="John \\ Doe"', [['a', '"John \\ Doe"']]],
    [
      'names that objects have',
      '__proto__=1,constructor=2',
      [
        ['__proto__', '1'],
        ['constructor', '2'],
      ],
    ],
  ])('has %s', (_, baggage, expected) => {
    expect(entries(baggage)).toEqual(expected);
  });

  it.each<[what: string, member: string]>([
    ['no equals sign', 'a'],
    ['no equals sign before its properties', 'a;b=c'],
    ['no key', '=1'],
    ['a blank key', ' =1'],
    ['a space in its key', 'a b=1'],
    ['a quote in its key', '"a"=1'],
    ['a key that is no ASCII', 'é=1'],
    ['a value that is no ASCII', 'a=é'],
    ['a control character', 'a=\u0001'],
    ['a line break', 'a=1\r\nx-evil: 1'],
  ])('has none with %s, and keeps the others', (_, member) => {
    expect(entries(`x=1,${member},y=2`)).toEqual([
      ['x', '1'],
      ['y', '2'],
    ]);
  });

  it.each<[what: string, baggage: unknown]>([
    ['nothing', undefined],
    ['an empty header', ''],
    ['an empty list', []],
    ['nonsense', ';;;=,'],
    ['no text', 7],
    ['a list of no texts', [undefined, 7, {}]],
  ])('does not change the context if it is %s', (_, baggage) => {
    expect(read(propagator, { baggage })).toBe(ROOT_CONTEXT);
  });

  it('may be 64 entries, and 8192 bytes', () => {
    const many = Array.from({ length: 64 }, (_, index) => [`k${index}`, String(index)]);
    expect(entries(many.map((entry) => entry.join('=')).join())).toEqual(many);
    expect(entries(`a=${'x'.repeat(8190)}`)).toEqual([['a', 'x'.repeat(8190)]]);
    expect(entries(`a=${'x'.repeat(4094)},b=${'y'.repeat(4093)}`)).toHaveLength(2);
  });

  it('is cut at the limits, by whole entries', () => {
    expect(entries(`a=${'x'.repeat(8191)},b=1`)).toEqual([['b', '1']]);
    expect(entries(`a=${'x'.repeat(4094)},b=${'y'.repeat(4094)},c=1`).map(([key]) => key)).toEqual(['a', 'c']);
    const tooMany = Array.from({ length: 300 }, (_, index) => `k${index}=1`);
    expect(entries(tooMany.join())).toHaveLength(180);
    expect(entries([tooMany.slice(0, 150).join(), tooMany.slice(150).join()])).toHaveLength(180);
    expect(entries(`a=1;${'p'.repeat(8190)},b=1`)).toEqual([['b', '1']]);
  });

  it('is merged with the baggage of the context', () => {
    const context = read(
      propagator,
      { baggage: 'b=2,c=3' },
      withBaggage([
        ['a', '1'],
        ['b', '0'],
      ]),
    );
    expect(baggageIn(context)).toEqual([
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
    ]);
  });
});

describe('outgoing baggage', () => {
  it.each<[what: string, of: [string, unknown, string?][], expected: string]>([
    ['one entry', [['a', '1']], 'a=1'],
    [
      'several, in their order',
      [
        ['b', '1'],
        ['a', '2'],
      ],
      'b=1,a=2',
    ],
    ['special characters', [['a', 'x,;=\\" %y']], 'a=x%2C%3B%3D%5C%22%20%25y'],
    ['what is no ASCII', [['a', 'ü😀']], 'a=%C3%BC%F0%9F%98%80'],
    ['half a character', [['a', 'x\ud800y']], 'a=x%EF%BF%BDy'],
    ['line breaks', [['a', '1\r\nx-evil: 1']], 'a=1%0D%0Ax-evil%3A%201'],
    ['a key with every character of a token', [["!#$&'*+-.^_`|~z", '1']], "!#$&'*+-.^_`|~z=1"],
    ['a key that is no token', [['user (ü)%', '1']], 'user%20%28%C3%BC%29%25=1'],
    ['no value', [['a', '']], 'a='],
    ['properties', [['a', '1', 'p=1;q']], 'a=1;p=1;q'],
    ['properties that are malformed', [['a', '1', 'p=1,evil=2;q;é\r\nx-evil: 1; r = s ']], 'a=1;q;r=s'],
    [
      'values that are no texts',
      [
        ['a', 7],
        ['b', true],
      ],
      'a=7,b=true',
    ],
    [
      'no key, no value',
      [
        ['', '1'],
        ['b', undefined],
        ['c', null],
        ['d', '1'],
      ],
      'd=1',
    ],
  ])('has %s', (_, of, expected) => {
    expect(written(of)).toBe(expected);
  });

  it('is not written if there is none', () => {
    expect(write(propagator, ROOT_CONTEXT)).toEqual({});
    expect(write(propagator, withBaggage([]))).toEqual({});
    expect(write(propagator, withBaggage([['', '1']]))).toEqual({});
  });

  it('may be 64 entries, and 8192 bytes', () => {
    const many = Array.from({ length: 64 }, (_, index) => [`k${index}`, 'v'] as const);
    expect(written(many)).toBe(many.map((entry) => entry.join('=')).join());
    expect(written([['a', 'x'.repeat(8190)]])).toHaveLength(8192);
  });

  it('is cut at the limits, by whole entries', () => {
    expect(
      written([
        ['a', 'x'.repeat(8191)],
        ['b', '1'],
      ]),
    ).toBe('b=1');
    // Percent-encoding makes twelve bytes of four.
    expect(
      written([
        ['a', '😀'.repeat(682)],
        ['b', '1'],
      ]),
    ).toHaveLength(2 + 682 * 12 + 4);
    expect(
      written([
        ['a', '😀'.repeat(683)],
        ['b', '1'],
      ]),
    ).toBe('b=1');
    expect(
      written([
        ['a', '1', `p=${'x'.repeat(8190)}`],
        ['b', '1'],
      ]),
    ).toBe('b=1');
    const tooMany = Array.from({ length: 200 }, (_, index) => [`k${index}`, 'v'] as const);
    expect(written(tooMany)?.split(',')).toHaveLength(180);
  });

  it('has the other entries if one cannot be written', () => {
    const metadata = {
      toString() {
        throw new Error('metadata broke');
      },
    } as unknown as BaggageEntryMetadata;
    const baggage = propagation
      .createBaggage({ a: { value: '1', metadata } })
      .setEntry('b', Object.create(null) as { value: string })
      .setEntry('c', { value: Object.create(null) as string })
      .setEntry('d', { value: '2' });
    expect(write(propagator, propagation.setBaggage(ROOT_CONTEXT, baggage))).toEqual({ baggage: 'd=2' });
  });

  it('equals the incoming baggage', () => {
    const baggage = 'a=1;p=1;q,user%20id=%C3%BC,c=x%2Cy';
    expect(write(propagator, read(propagator, { baggage }))).toEqual({ baggage });
  });
});

describe('baggage that cannot be carried', () => {
  it('has no entry of a text without an equals sign, however long it is', () => {
    expect(entries('x=1,tenant,y=2')).toEqual([
      ['x', '1'],
      ['y', '2'],
    ]);
  });

  it('is reported where an entry cannot be written', () => {
    const warnings: string[] = [];
    setDiagnosticsSink({ warn: (message) => warnings.push(message) });
    // The library writes a warning of one kind once a minute, and has written this one for another test.
    const later = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 120_000);
    const value = Object.create(null) as string;
    expect(write(propagator, withBaggage([['a', value]]))).toEqual({});
    expect(warnings).toEqual([
      expect.stringMatching(/^Writing a baggage entry threw and was ignored: TypeError: Cannot convert object/),
    ]);
    later.mockRestore();
    setDiagnosticsSink({ warn() {} });
  });
});
