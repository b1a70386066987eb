import { describe, expect, it } from '@jest/globals';
import { INVALID_SPAN_CONTEXT, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { traceContextPropagator } from '../../../lib/propagation/trace-context.js';
import { DEBUG, RANDOM, TraceState, traitsOf, UNDECIDED } from '../../../lib/propagation/trace-state.js';
import { xrayPropagator as propagator } from '../../../lib/propagation/xray.js';
import { callerIn, read, SPAN, stateIn, TRACE, withSpan, write } from './messages.js';

const ROOT = `Root=1-${TRACE.slice(0, 8)}-${TRACE.slice(8)}`;
const PARENT = `Parent=${SPAN}`;
const SAMPLED = `${TRACE}-${SPAN}-1`;
const UNSAMPLED = `${TRACE}-${SPAN}-0`;

describe('a caller by X-Ray', () => {
  it.each<[what: string, header: unknown, caller: string, traits: number]>([
    ['that is sampled', `${ROOT};${PARENT};Sampled=1`, SAMPLED, 0],
    ['that is not', `${ROOT};${PARENT};Sampled=0`, UNSAMPLED, 0],
    ['that asks for a decision', `${ROOT};${PARENT};Sampled=?`, UNSAMPLED, UNDECIDED],
    ['that says nothing of sampling', `${ROOT};${PARENT}`, UNSAMPLED, UNDECIDED],
    ['with an empty decision', `${ROOT};${PARENT};Sampled=`, UNSAMPLED, UNDECIDED],
    ['with a decision of another format', `${ROOT};${PARENT};Sampled=d`, UNSAMPLED, UNDECIDED],
    ['with a decision that X-Ray does not have', `${ROOT};${PARENT};Sampled=true`, UNSAMPLED, UNDECIDED],
    ['in another order', `Sampled=1;${PARENT};${ROOT}`, SAMPLED, 0],
    ['in lower case', `${ROOT};${PARENT};Sampled=1`.toLowerCase(), SAMPLED, 0],
    ['in upper case', `${ROOT};${PARENT};Sampled=1`.toUpperCase(), SAMPLED, 0],
    ['with blanks', ` ${ROOT} ; ${PARENT.replace('=', ' = ')};\tSampled=1 `, SAMPLED, 0],
    ['with a last semicolon', `${ROOT};${PARENT};Sampled=1;`, SAMPLED, 0],
    ['with empty fields', `;;${ROOT};;${PARENT};Sampled=1`, SAMPLED, 0],
    [
      'with the field of a load balancer',
      `Self=1-67891234-12456789abcdef0123456789;${ROOT};${PARENT}`,
      UNSAMPLED,
      UNDECIDED,
    ],
    ['with the field of a function', `${ROOT};${PARENT};Sampled=1;Lineage=a87bd80c:1|68fd508a:5`, SAMPLED, 0],
    ['with fields of its own', `${ROOT};${PARENT};Sampled=1;app=a;app=b,c;x`, SAMPLED, 0],
    [
      'with a time that is none',
      `Root=1-00000000-${TRACE.slice(8)};${PARENT};Sampled=1`,
      `00000000${SAMPLED.slice(8)}`,
      0,
    ],
    ['alone in a list', [`${ROOT};${PARENT};Sampled=1`], SAMPLED, 0],
  ])('%s', (_, header, caller, traits) => {
    const context = read(propagator, { 'x-amzn-trace-id': header });
    expect([callerIn(context), traitsOf(trace.getSpanContext(context))]).toEqual([caller, traits]);
  });

  it.each<[what: string, header: unknown]>([
    ['that says nothing', undefined],
    ['with an empty header', ''],
    ['with nonsense', 'garbage'],
    ['without a parent, as load balancers send it', `${ROOT};Sampled=1`],
    ['without a root', `${PARENT};Sampled=1`],
    ['with an empty root', `Root=;${PARENT};Sampled=1`],
    ['with an empty parent', `${ROOT};Parent=;Sampled=1`],
    ['of another version', `${ROOT.replace('1-', '2-')};${PARENT};Sampled=1`],
    ['without a version', `Root=${TRACE};${PARENT};Sampled=1`],
    ['without dashes', `Root=1${TRACE};${PARENT};Sampled=1`],
    ['with the dash elsewhere', `Root=1-${TRACE.slice(0, 9)}-${TRACE.slice(9)};${PARENT};Sampled=1`],
    ['with a root that is too short', `${ROOT.slice(0, -1)};${PARENT};Sampled=1`],
    ['with a root that is too long', `${ROOT}0;${PARENT};Sampled=1`],
    ['with a parent that is too short', `${ROOT};${PARENT.slice(0, -1)};Sampled=1`],
    ['with a parent that is too long', `${ROOT};${PARENT}0;Sampled=1`],
    ['with other letters in its root', `${ROOT.slice(0, -1)}g;${PARENT};Sampled=1`],
    ['with other letters in its parent', `${ROOT};${PARENT.slice(0, -1)}g;Sampled=1`],
    ['with letters that only look like digits', `${ROOT.slice(0, -1)}\uff11;${PARENT};Sampled=1`],
    ['with a root of zeros', `Root=1-00000000-${'0'.repeat(24)};${PARENT};Sampled=1`],
    ['with a parent of zeros', `${ROOT};Parent=${'0'.repeat(16)};Sampled=1`],
    ['with a line end', `${ROOT}\n;${PARENT};Sampled=1`],
    ['with two roots', `${ROOT};${ROOT};${PARENT};Sampled=1`],
    ['with two parents', `${ROOT};${PARENT};parent=${SPAN};Sampled=1`],
    ['with two decisions', `${ROOT};${PARENT};Sampled=1;Sampled=0`],
    ['with commas in place of semicolons', `${ROOT},${PARENT},Sampled=1`],
    ['that says it twice', [`${ROOT};${PARENT};Sampled=1`, `${ROOT};${PARENT};Sampled=1`]],
    ['that says it twice in one', `${ROOT};${PARENT};Sampled=1, ${ROOT};${PARENT};Sampled=1`],
    ['without text', 7],
  ])('%s is ignored', (_, header) => {
    expect(read(propagator, { 'x-amzn-trace-id': header })).toBe(ROOT_CONTEXT);
  });

  it('keeps the tracestate of the same trace', () => {
    const within = read(traceContextPropagator, { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'a=1' });
    const context = read(propagator, { 'x-amzn-trace-id': `${ROOT};${PARENT}` }, within);
    expect([callerIn(context), stateIn(context)]).toEqual([SAMPLED, 'a=1']);
  });
});

describe('X-Ray in outgoing headers', () => {
  it.each<[what: string, traceFlags: number, traits: number, sampled: string]>([
    ['sampled', 1, 0, ';Sampled=1'],
    ['not sampled', 0, 0, ';Sampled=0'],
    ['to be debugged', 1, DEBUG, ';Sampled=1'],
    ['with a flag of W3C', 3, RANDOM, ';Sampled=1'],
    ['undecided', 0, UNDECIDED, ''],
  ])('%s', (_, traceFlags, traits, sampled) => {
    const context = withSpan({ traceFlags, traceState: new TraceState('', traits) });
    expect(write(propagator, context)).toEqual({ 'x-amzn-trace-id': `${ROOT};${PARENT}${sampled}` });
  });

  it('is not written without a span', () => {
    expect(write(propagator, ROOT_CONTEXT)).toEqual({});
    expect(write(propagator, trace.setSpanContext(ROOT_CONTEXT, INVALID_SPAN_CONTEXT))).toEqual({});
  });

  it('names its header', () => {
    expect(propagator.fields()).toEqual(['x-amzn-trace-id']);
  });
});

it('a root with text before its version is ignored', () => {
  const header = `${ROOT.replace('=', '=x')};${PARENT};Sampled=1`;
  expect(read(propagator, { 'x-amzn-trace-id': header })).toBe(ROOT_CONTEXT);
});
