export const TRACE = '0af7651916cd43dd8448eb211c80319c';
export const CALLER = 'b7ad6b7169203331';

const VALID = `00-${TRACE}-${CALLER}-01`;

/** The headers of an incoming request, and the expected headers of the request to the next service. */
export interface ContextCase {
  readonly what: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The flags that are sent with the caller's trace id. Undefined if a new trace starts. */
  readonly flags?: string;
  /** Further headers that must be sent. No other context headers may be sent. */
  readonly sent?: Readonly<Record<string, string>>;
  /** True if HTTP/2 cannot carry the header. */
  readonly onlyHttp1?: boolean;
}

/** Cases of W3C's headers. */
export const w3cCases: readonly ContextCase[] = [
  { what: 'no caller', headers: [] },
  { what: 'a sampled caller', headers: [['traceparent', VALID]], flags: '01' },
  { what: 'a caller with a random id', headers: [['traceparent', `00-${TRACE}-${CALLER}-03`]], flags: '03' },
  { what: 'a caller that is not sampled', headers: [['traceparent', `00-${TRACE}-${CALLER}-00`]], flags: '00' },
  { what: 'the same with a random id', headers: [['traceparent', `00-${TRACE}-${CALLER}-02`]], flags: '02' },
  { what: 'unknown flags', headers: [['traceparent', `00-${TRACE}-${CALLER}-fd`]], flags: '01' },
  {
    what: 'a header in mixed case',
    headers: [
      ['TrAcEpArEnT', VALID],
      ['TRACESTATE', 'a=1'],
    ],
    flags: '01',
    sent: { tracestate: 'a=1' },
  },
  { what: 'a version to come', headers: [['traceparent', `cc-${TRACE}-${CALLER}-01-more`]], flags: '01' },
  { what: 'the forbidden version', headers: [['traceparent', `ff-${TRACE}-${CALLER}-01`]] },
  { what: 'too long a header', headers: [['traceparent', `${VALID}-more`]] },
  { what: 'too short a header', headers: [['traceparent', VALID.slice(1)]] },
  { what: 'upper case', headers: [['traceparent', VALID.toUpperCase()]] },
  { what: 'a trace id of zeros', headers: [['traceparent', `00-${'0'.repeat(32)}-${CALLER}-01`]] },
  { what: 'a span id of zeros', headers: [['traceparent', `00-${TRACE}-${'0'.repeat(16)}-01`]] },
  { what: 'white space', headers: [['traceparent', ` \t${VALID}\t `]], onlyHttp1: true, flags: '01' },
  {
    what: 'the same twice',
    headers: [
      ['traceparent', VALID],
      ['traceparent', VALID],
    ],
  },
  {
    what: 'two callers',
    headers: [
      ['traceparent', VALID],
      ['Traceparent', `00-${'1'.repeat(32)}-${CALLER}-01`],
      ['tracestate', 'a=1'],
    ],
  },
  {
    what: 'two callers of a version to come',
    headers: [
      ['traceparent', `cc-${TRACE}-${CALLER}-01-x`],
      ['traceparent', `cc-${TRACE}-${CALLER}-01-x`],
    ],
  },
  {
    what: 'several tracestates',
    headers: [
      ['traceparent', VALID],
      ['tracestate', 'foo=1,bar=2'],
      ['tracestate', ''],
      ['tracestate', 'a@b= 3'],
    ],
    flags: '01',
    sent: { tracestate: 'foo=1,bar=2,a@b= 3' },
  },
  {
    what: 'one key in two tracestates',
    headers: [
      ['traceparent', VALID],
      ['tracestate', 'foo=1,bar=2'],
      ['tracestate', 'foo=3'],
    ],
    flags: '01',
    sent: { tracestate: 'foo=1,bar=2' },
  },
  {
    what: 'a malformed tracestate',
    headers: [
      ['traceparent', VALID],
      ['tracestate', 'FOO=1,,=='],
    ],
    flags: '01',
  },
  { what: 'a tracestate alone', headers: [['tracestate', 'a=1']] },
  {
    what: 'too many members',
    headers: [
      ['traceparent', VALID],
      ['tracestate', Array.from({ length: 40 }, (_, index) => `k${index}=1`).join()],
    ],
    flags: '01',
  },
  {
    what: 'too long a tracestate',
    headers: [
      ['traceparent', VALID],
      ['tracestate', `a=1,b=${'x'.repeat(200)},c=${'x'.repeat(120)},d=${'x'.repeat(120)},e=${'x'.repeat(120)}`],
    ],
    flags: '01',
    sent: { tracestate: `a=1,c=${'x'.repeat(120)},d=${'x'.repeat(120)},e=${'x'.repeat(120)}` },
  },
  {
    what: 'baggage without a caller',
    headers: [['baggage', 'a=1;p=q']],
    sent: { baggage: 'a=1;p=q' },
  },
  {
    what: 'baggage in several headers',
    headers: [
      ['traceparent', VALID],
      ['baggage', 'a=1, b = 2'],
      ['Baggage', 'b=3;p'],
      ['baggage', 'c=%C3%BC%2C'],
    ],
    flags: '01',
    sent: { baggage: 'a=1,b=3;p,c=%C3%BC%2C' },
  },
  {
    what: 'malformed baggage',
    headers: [
      ['traceparent', VALID],
      ['baggage', ';;;=,a b=1,ok=100%,='],
    ],
    flags: '01',
    sent: { baggage: 'ok=100%25' },
  },
  {
    what: 'much baggage',
    headers: [['baggage', Array.from({ length: 64 }, (_, index) => `key${index}=${'v'.repeat(40)}`).join()]],
    sent: { baggage: Array.from({ length: 64 }, (_, index) => `key${index}=${'v'.repeat(40)}`).join() },
  },
  {
    what: 'headers of other formats',
    headers: [
      ['b3', `${TRACE}-${CALLER}-1`],
      ['uber-trace-id', `${TRACE}:${CALLER}:0:1`],
    ],
  },
];

/** Cases of all formats, in the order tracecontext, baggage, b3, b3multi, jaeger. The ids that go out are compared in each of them. */
export const mixedCases: readonly (ContextCase & { readonly b3: string; readonly jaeger: string })[] = [
  { what: 'no caller', headers: [], b3: '1', jaeger: '01' },
  { what: 'b3', headers: [['b3', `${TRACE}-${CALLER}-1`]], flags: '01', b3: '1', jaeger: '01' },
  { what: 'b3 that denies', headers: [['B3', `${TRACE}-${CALLER}-0`]], flags: '00', b3: '0', jaeger: '00' },
  { what: 'b3 that debugs', headers: [['b3', `${TRACE}-${CALLER}-d`]], flags: '01', b3: 'd', jaeger: '03' },
  { what: 'b3 that leaves it to us', headers: [['b3', `${TRACE}-${CALLER}`]], flags: '01', b3: '1', jaeger: '01' },
  {
    what: 'b3 in several headers',
    headers: [
      ['X-B3-TraceId', TRACE],
      ['X-B3-SpanId', CALLER],
      ['X-B3-Sampled', '0'],
    ],
    flags: '00',
    b3: '0',
    jaeger: '00',
  },
  {
    what: 'b3 in several headers that debugs',
    headers: [
      ['X-B3-TraceId', TRACE],
      ['X-B3-SpanId', CALLER],
      ['X-B3-Flags', '1'],
    ],
    flags: '01',
    b3: 'd',
    jaeger: '03',
  },
  {
    what: 'malformed b3',
    headers: [
      ['b3', `${TRACE}-x-1`],
      ['X-B3-TraceId', '1'],
    ],
    b3: '1',
    jaeger: '01',
  },
  {
    what: 'Jaeger, with its baggage',
    headers: [
      ['Uber-Trace-Id', `${TRACE}:${CALLER}:0:3`],
      ['uberctx-Tenant', 'x+%C3%BC'],
    ],
    flags: '01',
    sent: { baggage: 'tenant=x%20%C3%BC', 'uberctx-tenant': 'x%20%C3%BC' },
    b3: 'd',
    jaeger: '03',
  },
  {
    what: 'malformed Jaeger beside W3C',
    headers: [
      ['traceparent', VALID],
      ['tracestate', 'a=1'],
      ['uber-trace-id', 'zz:zz:0:1'],
    ],
    flags: '01',
    sent: { tracestate: 'a=1' },
    b3: '1',
    jaeger: '01',
  },
  {
    what: 'one trace in all formats',
    headers: [
      ['traceparent', `00-${TRACE}-${CALLER}-03`],
      ['tracestate', 'a=1'],
      ['b3', `${TRACE}-${CALLER}-1`],
      ['uber-trace-id', `${TRACE}:${CALLER}:0:1`],
      ['baggage', 'a=1,b=2'],
      ['uberctx-b', '3'],
    ],
    flags: '03',
    sent: { tracestate: 'a=1', baggage: 'a=1,b=3', 'uberctx-a': '1', 'uberctx-b': '3' },
    b3: '1',
    jaeger: '01',
  },
  {
    what: 'another trace in the last format',
    headers: [
      ['traceparent', `00-${'1'.repeat(32)}-${CALLER}-00`],
      ['tracestate', 'a=1'],
      ['uber-trace-id', `${TRACE}:${CALLER}:0:1`],
    ],
    flags: '01',
    b3: '1',
    jaeger: '01',
  },
];

/** Returns the context headers of all formats among the sent headers. */
export function contextHeaders(sent: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const known = /^(traceparent|tracestate|baggage|b3|x-b3-.*|uber-trace-id|uberctx-.*)$/;
  return Object.fromEntries(Object.entries(sent).filter(([name]) => known.test(name)));
}

export interface SentIds {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: string;
}

/** The ids in a `traceparent`. Fails if it is malformed. */
export function idsIn(traceparent: unknown): SentIds {
  const [, traceId, spanId, flags] =
    /^00-((?!0+-)[\da-f]{32})-((?!0+-)[\da-f]{16})-([\da-f]{2})$/.exec(String(traceparent)) ?? [];
  if (!traceId || !spanId || !flags) throw new Error(`malformed traceparent: ${String(traceparent)}`);
  return { traceId, spanId, flags };
}
