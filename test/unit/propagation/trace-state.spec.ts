import { describe, expect, it } from '@jest/globals';
import { createTraceState } from '@opentelemetry/api';
import { DEBUG, RANDOM, traceStateWith, TraceState, traitsOf } from '../../../lib/propagation/trace-state.js';
import { SPAN, TRACE } from './messages.js';

const text = (raw: string) => new TraceState(raw).serialize();
const members = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=${index}`);

const EVERY_KEY_CHARACTER = 'abcdefghijklmnopqrstuvwxyz0123456789_-*/@';
const EVERY_VALUE_CHARACTER = Array.from({ length: 0x7f - 0x20 }, (_, index) => String.fromCharCode(0x20 + index))
  .filter((character) => character !== ',' && character !== '=')
  .join('');

describe('TraceState', () => {
  it.each<[what: string, raw: string, kept: string]>([
    ['spaces and tabs around members', ' foo=1 \t , \t bar=2,\t \tbaz=3 ', 'foo=1,bar=2,baz=3'],
    ['empty members', ',foo=1,, ,\t,bar=2,', 'foo=1,bar=2'],
    ['the first of two with one key, which is the newer', 'foo=1,bar=2,foo=3', 'foo=1,bar=2'],
    ['spaces at the start of a value', 'foo=  1', 'foo=  1'],
    ['every character of a key', `${EVERY_KEY_CHARACTER}=1`, `${EVERY_KEY_CHARACTER}=1`],
    ['every character of a value', `foo=${EVERY_VALUE_CHARACTER}`, `foo=${EVERY_VALUE_CHARACTER}`],
    ['a key of many tenants', 'fw529a3039@dt=FfffffffCMAAABAA', 'fw529a3039@dt=FfffffffCMAAABAA'],
    ['keys as level 2 has them', '1a=1,a@b@c=2,0=3', '1a=1,a@b@c=2,0=3'],
    ['a key of 256 characters', `${'z'.repeat(256)}=1`, `${'z'.repeat(256)}=1`],
    ['a value of 256 characters', `a=${'z'.repeat(256)}`, `a=${'z'.repeat(256)}`],
    ['32 members', members(32).join(), members(32).join()],
    ['empty members beside 32', `,${members(32).join(',,')}`, members(32).join()],
  ])('takes %s', (_, raw, kept) => {
    expect(text(raw)).toBe(kept);
  });

  it.each<[what: string, raw: string]>([
    ['no equals sign', 'foo'],
    ['no key', '=1'],
    ['no value', 'foo='],
    ['a blank value', 'foo= '],
    ['two equals signs', 'foo=bar=baz'],
    ['an upper-case key', 'FOO=1'],
    ['a point in the key', 'foo.bar=1'],
    ['a space in the key', 'foo =1'],
    ['an @ before the key', '@foo=1'],
    ['a dash before the key', '-foo=1'],
    ['a key of 257 characters', `${'z'.repeat(257)}=1`],
    ['a value of 257 characters', `foo=${'z'.repeat(257)}`],
    ['a tab in the value', 'foo=1\t2'],
    ['a line break in the value', 'foo=1\r\n2'],
    ['a character that is no ASCII', 'foo=é'],
    ['the character after the last', 'foo=\x7f'],
  ])('is empty if a member has %s', (_, raw) => {
    expect(text(`a=1,${raw},z=2`)).toBe('');
  });

  it('is empty if it has more than 32 members', () => {
    expect(text(members(33).join())).toBe('');
  });

  it.each<[what: string, sizes: readonly number[], kept: readonly number[]]>([
    ['all that are 512 characters together', [128, 127, 127, 127], [0, 1, 2, 3]],
    ['no last one where they are 513', [128, 127, 127, 128], [0, 1, 2]],
    ['no long one first, wherever it stands', [100, 129, 100, 100, 100], [0, 2, 3, 4]],
    ['no last long one first', [200, 100, 200, 100], [0, 1, 3]],
    ['no long one more than it must', [129, 129, 129, 129], [0, 1, 2]],
    ['none of a size beyond all', [513, 10], [1]],
  ])('has room for %s', (_, sizes, kept) => {
    const all = sizes
      .map((size, index) => `k${index}`.padEnd(Math.max(2, size - 257), 'k'))
      .map((key, index) => {
        const size = sizes[index]!;
        return `${key}=${'v'.repeat(size - key.length - 1)}`;
      });
    expect(all.map((member) => member.length)).toEqual(sizes);
    expect(text(all.join())).toBe(kept.map((index) => all[index]).join());
  });

  it('puts a member that is set first', () => {
    const state = new TraceState('a=1,b=2');
    expect(state.set('c', '3').serialize()).toBe('c=3,a=1,b=2');
    expect(state.set('b', '4').serialize()).toBe('b=4,a=1');
    expect(state.serialize()).toBe('a=1,b=2');
    expect(state.set('b', '4').get('b')).toBe('4');
    expect(state.unset('a').serialize()).toBe('b=2');
    expect(state.unset('a').get('a')).toBeUndefined();
  });

  it.each([
    ['A', '1'],
    ['', '1'],
    ['a', ''],
    ['a', 'b,c=d'],
    ['a', '1\n'],
  ])('is unchanged if %j=%j cannot be set', (key, value) => {
    const state = new TraceState('a=0');
    expect(state.set(key, value)).toBe(state);
  });

  it('is unchanged if the member to remove does not exist', () => {
    const state = new TraceState('a=0');
    expect(state.unset('b')).toBe(state);
  });

  it('makes room for a member that is set', () => {
    const full = new TraceState(members(32).join());
    expect(full.set('new', '1').serialize()).toBe(['new=1', ...members(31)].join());
    const long = new TraceState(`a=${'v'.repeat(253)},b=${'v'.repeat(253)}`);
    expect(long.set('new', '1').serialize()).toBe(`new=1,a=${'v'.repeat(253)}`);
  });

  it('keeps its traits at every change', () => {
    const state = new TraceState('a=1', RANDOM | DEBUG);
    const traits = (traceState: TraceState | undefined) =>
      traitsOf({ traceId: TRACE, spanId: SPAN, traceFlags: 0, ...(traceState && { traceState }) });
    expect([state, state.set('b', '2'), state.unset('a'), traceStateWith(3, state)].map(traits)).toEqual([3, 3, 3, 3]);
    expect(traits(traceStateWith(RANDOM, state))).toBe(RANDOM);
    expect(traceStateWith(RANDOM, state)?.serialize()).toBe('a=1');
    expect(traits(traceStateWith(RANDOM))).toBe(RANDOM);
    expect(traceStateWith(RANDOM)?.serialize()).toBe('');
    expect(traceStateWith(0)).toBeUndefined();
    expect(traitsOf(undefined)).toBe(0);
  });
});

describe('a tracestate that is too long', () => {
  const member = (key: string, length: number) => `${key}=${'x'.repeat(length - key.length - 1)}`;
  const kept = (...members: string[]) =>
    new TraceState(members.join())
      .serialize()
      .split(',')
      .map((it) => it[0])
      .join('');

  it('loses the members first that are longer than 128 characters, and not one of 128', () => {
    expect(kept(member('a', 129), member('b', 128), member('c', 128), member('d', 128))).toBe('bcd');
    expect(kept(member('a', 128), member('b', 128), member('c', 128), member('d', 128))).toBe('abc');
  });

  it('loses no more than it must: 512 characters fit', () => {
    // Without c: 127 + 127 + 127 + 128, and three commas.
    const members = [member('a', 127), member('b', 127), member('c', 200), member('d', 127), member('e', 128)];
    expect(kept(...members)).toBe('abde');
    expect(new TraceState(members.join()).serialize()).toHaveLength(512);
  });
});

it('the members of another maker stay beside the traits', () => {
  const traceState = traceStateWith(RANDOM, createTraceState('a=1'))!;
  expect(traceState.serialize()).toBe('a=1');
  expect(traitsOf({ traceId: TRACE, spanId: SPAN, traceFlags: 1, traceState })).toBe(RANDOM);
});
