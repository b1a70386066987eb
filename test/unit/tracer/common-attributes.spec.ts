import { describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, type Attributes } from '@opentelemetry/api';
import type { SpanProcessor } from '../../../lib/options/sdk-types.js';
import type { SpanAttributesOption } from '../../../lib/options/span-attributes.js';
import { addCommonAttributes } from '../../../lib/tracer/common-attributes.js';
import { recordWarnings } from '../../support/recorded-warnings.js';

const warnings = recordWarnings();

type StartingSpan = Parameters<SpanProcessor['onStart']>[0];

/** Returns the attributes of a span that starts with a processor of the common attributes. */
function start(given: SpanAttributesOption, attributes: Attributes = {}): Attributes {
  const span = { attributes, setAttribute: (key: string, value: string) => (attributes[key] = value) };
  addCommonAttributes(given).onStart(span as unknown as StartingSpan, ROOT_CONTEXT);
  return attributes;
}

describe('addCommonAttributes()', () => {
  it('adds what the span does not have', () => {
    expect(start({ a: 1, b: 2 }, { b: 3 })).toEqual({ a: 1, b: 3 });
    expect(start(() => ({ a: 1, b: undefined }))).toEqual({ a: 1 });
  });

  it.each([undefined, null, 'text', 3])('ignores a function that returns %p', (result) => {
    expect(start(() => result as undefined)).toEqual({});
    expect(warnings).toEqual([]);
  });

  it('reports a function that throws', () => {
    const broken = () => {
      throw new Error('no store');
    };
    expect(start(broken)).toEqual({});
    expect(warnings).toEqual([expect.stringContaining('spanAttributes threw and was ignored: Error: no store')]);
  });

  it('reports an async function', async () => {
    const late = Promise.reject(new Error('late'));
    expect(start(() => late as unknown as undefined)).toEqual({});
    await expect(late).rejects.toThrow('late');
    expect(warnings[0]).toContain('spanAttributes is async and was ignored');
  });

  it('does not call a function within itself, also after one that threw', () => {
    let calls = 0;
    const processor = addCommonAttributes(() => {
      calls++;
      processor.onStart({ attributes: {} } as StartingSpan, ROOT_CONTEXT);
      throw new Error('late');
    });
    for (let i = 0; i < 2; i++) processor.onStart({ attributes: {} } as StartingSpan, ROOT_CONTEXT);
    expect(calls).toBe(2);
  });
});
