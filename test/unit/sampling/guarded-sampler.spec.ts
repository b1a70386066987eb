import { describe, expect, it, jest } from '@jest/globals';
import { ROOT_CONTEXT, SpanKind, trace, TraceFlags } from '@opentelemetry/api';
import { guardSampler } from '../../../lib/sampling/guarded-sampler.js';
import type { Sampler } from '../../../lib/options/sdk-types.js';
import { recordWarnings } from '../../support/recorded-warnings.js';
import { unhandledRejections } from '../../support/unhandled-rejections.js';

const TRACE = 'a'.repeat(32);
const [NOT_RECORD, RECORD, RECORD_AND_SAMPLED] = [0, 1, 2];

const warnings = recordWarnings();

function sample(answer: () => unknown, callerFlags?: TraceFlags) {
  const sampler = guardSampler({ shouldSample: answer as Sampler['shouldSample'], toString: () => 'mine' });
  const caller = { traceId: TRACE, spanId: 'b'.repeat(16), traceFlags: callerFlags ?? TraceFlags.NONE };
  const parent = callerFlags === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, caller);
  return sampler.shouldSample(parent, TRACE, 'work', SpanKind.INTERNAL, {}, []);
}

describe('a sampler of the application', () => {
  it.each([NOT_RECORD, RECORD, RECORD_AND_SAMPLED])('makes the decision: %s', (decision) => {
    const result = { decision, attributes: { a: 1 } };
    expect(sample(() => result)).toBe(result);
    expect(warnings).toEqual([]);
  });

  it.each<[what: string, answer: () => unknown, message: string]>([
    ['is async', () => Promise.resolve({ decision: RECORD }), 'The sampler is async'],
    ['rejects', () => Promise.reject(new Error('no')), 'The sampler is async'],
    ['returns nothing', () => undefined, 'The sampler returns undefined'],
    ['returns null', () => null, 'The sampler returns null'],
    ['returns a decision alone', () => RECORD, 'The sampler returns number'],
    ['returns an empty object', () => ({}), 'The sampler returns no decision'],
    ['returns a wrong decision', () => ({ decision: 3 }), 'The sampler returns no decision'],
    ['returns a text for a decision', () => ({ decision: 'RECORD' }), 'The sampler returns no decision'],
    ['returns wrong attributes', () => ({ decision: RECORD, attributes: 'a=1' }), 'The sampler returns attributes'],
    [
      'returns a wrong trace state',
      () => ({ decision: RECORD, traceState: { a: 1 } }),
      'The sampler returns a trace state',
    ],
  ])('that %s leaves the decision to the default', async (_what, answer, message) => {
    const decide = () => [sample(answer), sample(answer, TraceFlags.SAMPLED), sample(answer, TraceFlags.NONE)];
    const decisions: number[] = [];
    expect(await unhandledRejections(() => decisions.push(...decide().map(({ decision }) => decision)))).toEqual([]);
    expect(decisions).toEqual([RECORD_AND_SAMPLED, RECORD_AND_SAMPLED, NOT_RECORD]);
    expect(warnings).toEqual([expect.stringContaining(message)]);
  });

  it('that throws leaves the span unrecorded', () => {
    const fail = () => {
      throw new Error('broken');
    };
    expect([sample(fail), sample(fail, TraceFlags.SAMPLED)].map(({ decision }) => decision)).toEqual([
      NOT_RECORD,
      NOT_RECORD,
    ]);
    expect(warnings).toEqual([expect.stringContaining('The sampler threw and was ignored: Error: broken')]);
  });

  it('keeps its name', () => {
    expect(String(guardSampler({ shouldSample: jest.fn<Sampler['shouldSample']>(), toString: () => 'mine' }))).toBe(
      'mine',
    );
  });
});
