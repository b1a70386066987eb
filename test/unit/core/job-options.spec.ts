import { describe, expect, it } from '@jest/globals';
import { takeTraceContext, withTraceContext } from '../../../lib/core/job-options.js';

const job = (opts: Record<string, unknown>) => ({ name: 'ship', attemptsMade: 0, opts });

describe('withTraceContext()', () => {
  it.each<[unknown, unknown]>([
    [undefined, { telemetry: { metadata: 'ctx' } }],
    [null, { telemetry: { metadata: 'ctx' } }],
    [{ attempts: 3 }, { attempts: 3, telemetry: { metadata: 'ctx' } }],
    [{ telemetry: { metadata: 'of another call' } }, { telemetry: { metadata: 'ctx' } }],
    [{ telemetry: 'of the application' }, { telemetry: 'of the application' }],
    [{ telemetry: { metadata: 'x', more: 1 } }, { telemetry: { metadata: 'x', more: 1 } }],
    [5, 5],
  ])('%j becomes %j', (options, expected) => {
    expect(withTraceContext(options, 'ctx')).toEqual(expected);
  });

  it('leaves the options of the application as they are', () => {
    const options = Object.freeze({ attempts: 3 });
    expect(withTraceContext(options, 'ctx')).not.toBe(options);
    expect(options).toEqual({ attempts: 3 });
  });
});

describe('takeTraceContext()', () => {
  it.each<[Record<string, unknown>, string | undefined, object]>([
    [{ attempts: 1, telemetry: { metadata: 'ctx' } }, 'ctx', { attempts: 1 }],
    [{ attempts: 1 }, undefined, { attempts: 1 }],
    [{ telemetry: 'of the application' }, undefined, { telemetry: 'of the application' }],
    [{ telemetry: { metadata: 5 } }, undefined, { telemetry: { metadata: 5 } }],
    [{ telemetry: null }, undefined, { telemetry: null }],
  ])('of %j', (opts, expected, left) => {
    const given = job({ ...opts });
    expect(takeTraceContext(given)).toBe(expected);
    expect(given.opts).toEqual(left);
  });
});
