import {
  context as contextApi,
  createContextKey,
  createTraceState,
  INVALID_SPAN_CONTEXT,
  propagation,
  ROOT_CONTEXT,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  type SpanOptions,
  type TimeInput,
  type Tracer,
} from '@opentelemetry/api';
import * as fc from 'fast-check';
import { suppressTracing } from '../../../lib/core/suppression.js';

/** The key under which the SDK suppresses tracing. */
const SUPPRESSION = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/** Stands for a reading of the monotonic clock that is taken when the program runs. */
const READING = 'a reading of the monotonic clock' as unknown as TimeInput;

interface Start {
  readonly tracer: number;
  readonly name: string;
  readonly options: SpanOptions | undefined;
  readonly parent: Parent;
}

type Parent =
  | { readonly kind: 'active' | 'none' | 'suppressed' | 'suppressed parent' | 'baggage' | 'baggage of none' }
  | { readonly kind: 'span'; readonly index: number }
  | { readonly kind: 'remote'; readonly spanContext: SpanContext };

/** One step of a program: a call on a span, or the start of a span, which may be active while further steps run. */
export type Step =
  | { readonly start: Start; readonly body?: readonly Step[] | undefined }
  | { readonly within: Within; readonly body: readonly Step[] }
  | { readonly on: number; readonly call: string; readonly arguments: readonly unknown[] };

/** A context in which further steps run. */
type Within = 'suppressed' | 'unsuppressed' | 'baggage' | 'other baggage' | 'none';

export interface Hooks {
  /** Called before each span starts. */
  starting?(index: number): void;
  /** Called before each step. */
  step?(index: number): void;
}

/** Runs a program, and returns its spans in the order in which they started. */
export function runProgram(program: readonly Step[], tracers: readonly Tracer[], hooks: Hooks = {}): Span[] {
  const spans: Span[] = [];
  let count = 0;
  const run = (steps: readonly Step[]) => {
    for (const step of steps) {
      hooks.step?.(count++);
      if ('start' in step) start(step.start, step.body);
      else if ('within' in step) contextApi.with(enclosing(step.within), () => run(step.body));
      else call(step);
    }
  };
  const start = ({ name, options, parent, tracer: index }: Start, body: readonly Step[] | undefined) => {
    hooks.starting?.(spans.length);
    const tracer = tracers[index] as Tracer;
    const given = options && { ...options, ...withReading('startTime', options.startTime) };
    const within = contextOf(parent, spans);
    if (!body) spans.push(tracer.startSpan(name, given, within));
    else {
      const active = (span: Span) => {
        spans.push(span);
        run(body);
      };
      if (within) tracer.startActiveSpan(name, given ?? {}, within, active);
      else if (given) tracer.startActiveSpan(name, given, active);
      else tracer.startActiveSpan(name, active);
    }
  };
  const call = (step: Extract<Step, { call: string }>) => {
    const span = spans[step.on % spans.length];
    if (!span) return;
    const method = Reflect.get(span, step.call) as (...args: unknown[]) => unknown;
    method.apply(span, step.arguments.map(reading));
  };
  run(program);
  return spans;
}

function enclosing(within: Within): Context {
  const active = contextApi.active();
  switch (within) {
    case 'suppressed':
      return suppressTracing(active);
    case 'unsuppressed':
      return active.deleteValue(SUPPRESSION);
    case 'none':
      return ROOT_CONTEXT;
    case 'baggage':
      return propagation.setBaggage(active, propagation.createBaggage({ tenant: { value: 'outer' } }));
    case 'other baggage':
      return propagation.setBaggage(active, propagation.createBaggage({ tenant: { value: 'é'.repeat(30) } }));
  }
}

function reading(value: unknown): unknown {
  return value === READING ? performance.now() : value;
}

function withReading<K extends string>(key: K, value: unknown): object {
  return value === undefined ? {} : { [key]: reading(value) };
}

function contextOf(parent: Parent, spans: readonly Span[]): Context | undefined {
  switch (parent.kind) {
    case 'active':
      return undefined;
    case 'none':
      return ROOT_CONTEXT;
    case 'suppressed':
      return suppressTracing(contextApi.active());
    case 'suppressed parent': {
      // A span below one that is not recorded, because its context is suppressed, begins a trace.
      const suppressed = suppressTracing(suppressTracing(contextApi.active()));
      return trace.setSpan(ROOT_CONTEXT, trace.getSpan(suppressed) ?? trace.wrapSpanContext(INVALID_SPAN_CONTEXT));
    }
    case 'baggage of none':
      return propagation.setBaggage(
        ROOT_CONTEXT,
        propagation.createBaggage({ tenant: { value: '' }, other: { value: 'x' } }),
      );
    case 'baggage':
      return propagation.setBaggage(contextApi.active(), propagation.createBaggage({ tenant: { value: 'acme' } }));
    case 'remote':
      return trace.setSpanContext(ROOT_CONTEXT, parent.spanContext);
    case 'span': {
      const span = spans[parent.index % spans.length];
      return span ? trace.setSpan(ROOT_CONTEXT, span) : undefined;
    }
  }
}

const text = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'GET /users/:id',
    'ключ',
    'x'.repeat(30),
    'é'.repeat(2000),
    'x'.repeat(70_000),
    'a\u0000b\n',
  ),
  fc.string({ maxLength: 20, unit: 'grapheme-ascii' }),
);
/** Without integers beyond those of a number, which the encoders write as different types. */
const number = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, 0.1, NaN, Infinity, Number.MAX_SAFE_INTEGER),
  fc.double({ min: -1e6, max: 1e6 }),
  fc.integer(),
);
const holes = fc.constantFrom(null, undefined);
const list = <T>(element: fc.Arbitrary<T>) =>
  fc.array(fc.oneof({ weight: 5, arbitrary: element }, holes), { maxLength: 5 });
const invalidValue = fc.constantFrom<unknown>(
  1n,
  Symbol('value'),
  () => {},
  {},
  new Date(0),
  [1, 'a'],
  ['a', {}],
  [[1]],
  [1n],
);
/** A value that is not null: the tracers differ in null, except in calls that set an attribute of a span. */
const presentValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: text },
  number,
  fc.boolean(),
  list(text),
  list(number),
  list(fc.boolean()),
  invalidValue,
);
const value = fc.oneof({ weight: 9, arbitrary: presentValue }, fc.constantFrom(null, undefined));
const key = fc.constantFrom('a', 'b', 'c', 'http.route', 'ключ', '', 'constructor', 'from.sampler', 'k'.repeat(50));

const attributesOf = (values: fc.Arbitrary<unknown>) =>
  fc.dictionary(key, values, { maxKeys: 6, noNullPrototype: false }) as fc.Arbitrary<Attributes>;
const attributes = attributesOf(value);
const entryAttributes = fc.option(attributesOf(presentValue), { nil: undefined });

/** Times years before now, as an application may give them. */
const past: fc.Arbitrary<TimeInput> = fc.oneof(
  fc.integer({ min: 1_600_000_000_000, max: 1_700_000_000_000 }),
  fc.double({ min: 1_600_000_000_000, max: 1_700_000_000_000, noNaN: true }),
  fc.date({ min: new Date('2010-01-01'), max: new Date('2020-01-01'), noInvalidDate: true }),
  fc.tuple(fc.integer({ min: 1_700_000_000, max: 1_700_000_001 }), fc.integer({ min: 0, max: 999_999_999 })),
  fc.tuple(fc.constant(1_700_000_000), fc.integer({ min: 0, max: 100 })),
  fc.constantFrom<TimeInput>([1.5, 2.5], [1_700_000_000, 1e9], 0, new Date(0)),
);
const future = fc.constantFrom<TimeInput>(new Date('2100-01-01'), 4e12);
const time = fc.oneof({ weight: 4, arbitrary: past }, future, fc.constant(READING));
const optionalTime = fc.option(time, { nil: undefined, freq: 2 });
/** Without the future, from which the SDK measures no times. */
const startTime = fc.option(fc.oneof({ weight: 3, arbitrary: past }, fc.constant(READING)), { nil: undefined });

const TRACES = ['0af7651916cd43dd8448eb211c80319c', 'A'.repeat(32), 'not an id', '0'.repeat(32)];
const SPANS = ['b7ad6b7169203331', 'F'.repeat(16), '0'.repeat(16)];
const spanContext = (traces: readonly string[], spans: readonly string[]): fc.Arbitrary<SpanContext> =>
  fc.record({
    traceId: fc.constantFrom(...traces),
    spanId: fc.constantFrom(...spans),
    traceFlags: fc.constantFrom(0, 1, 3, 255),
    isRemote: fc.constantFrom(true, false),
    traceState: fc.constantFrom(
      undefined,
      createTraceState('a=1,b=2'),
      createTraceState(''),
      createTraceState('ot=th:8;rv:0123456789abcd,vendor=x'),
    ),
  }) as fc.Arbitrary<SpanContext>;
const validSpanContext = spanContext(TRACES.slice(0, 2), SPANS.slice(0, 2));

const link: fc.Arbitrary<Link> = fc.record({ context: validSpanContext, attributes: entryAttributes }) as never;
const links = fc.array(link, { maxLength: 4 });

const kind = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 4),
  fc.constantFrom<unknown>(undefined, 5, -1, 1.5, 'SERVER', 'server'),
);
const options = fc.option(
  fc.record({ kind, attributes: entryAttributes, links, root: fc.boolean(), startTime }, { requiredKeys: [] }),
  { nil: undefined },
) as fc.Arbitrary<SpanOptions | undefined>;

const parent: fc.Arbitrary<Parent> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'active' } as const) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('span' as const), index: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remote' as const), spanContext: validSpanContext }) },
  fc.record({ kind: fc.constant('remote' as const), spanContext: spanContext(TRACES, SPANS) }),
  fc.record({ kind: fc.constantFrom('none', 'suppressed', 'suppressed parent', 'baggage', 'baggage of none') }),
);

const start: fc.Arbitrary<Start> = fc.record({
  tracer: fc.nat(2),
  name: fc.oneof({ weight: 9, arbitrary: text }, fc.constantFrom<unknown>(undefined, null, 17)),
  options,
  parent,
}) as fc.Arbitrary<Start>;

const error = fc.oneof(
  fc.constantFrom<unknown>(
    new TypeError('broken'),
    Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
    Object.assign(new Error(''), { code: 404, stack: undefined }),
    { name: 'Named' },
    { message: 'only a message' },
    { code: 0, name: '' },
    { name: {}, message: 1 },
    {},
    '',
    null,
    undefined,
    17,
  ),
  text,
);
const status = fc.record(
  { code: fc.constantFrom(0, 1, 2), message: fc.oneof(text, fc.constantFrom<unknown>(undefined, null, {}, 1)) },
  { requiredKeys: ['code'] },
);
const eventName = fc.oneof({ weight: 9, arbitrary: text }, fc.constantFrom<unknown>(undefined, 17));

const calls: readonly (readonly [string, fc.Arbitrary<unknown[]>])[] = [
  ['setAttribute', fc.tuple(key, value)],
  ['setAttributes', fc.tuple(attributes)],
  ['addEvent', fc.tuple(eventName)],
  ['addEvent', fc.tuple(eventName, fc.oneof(entryAttributes, time, fc.constantFrom<unknown>(null, 'text', 17n)))],
  ['addEvent', fc.tuple(eventName, fc.oneof(entryAttributes, time), optionalTime)],
  ['addLink', fc.tuple(link)],
  ['addLinks', fc.tuple(links)],
  ['setStatus', fc.tuple(status)],
  ['setStatus', fc.tuple(status)],
  ['updateName', fc.tuple(fc.oneof(text, fc.constantFrom<unknown>(17, undefined)))],
  ['recordException', fc.tuple(error)],
  ['recordException', fc.tuple(error, optionalTime)],
  ['end', fc.constant([])],
  ['end', fc.tuple(fc.oneof(optionalTime, fc.constantFrom<unknown>(null, 'text', {})))],
  ['spanContext', fc.constant([])],
  ['isRecording', fc.constant([])],
];
const call: fc.Arbitrary<Step> = fc
  .tuple(fc.nat(20), fc.oneof(...calls.map(([name, given]) => fc.tuple(fc.constant(name), given))))
  .map(([on, [name, given]]) => ({ on, call: name, arguments: given }));

const within = fc.constantFrom<Within>('suppressed', 'unsuppressed', 'baggage', 'other baggage', 'none');

const { steps } = fc.letrec<{ steps: Step[]; step: Step }>((tie) => ({
  steps: fc.array(tie('step'), { maxLength: 12, depthIdentifier: 'steps' }),
  step: fc.oneof(
    { depthIdentifier: 'steps', maxDepth: 3 },
    { weight: 6, arbitrary: call },
    { weight: 3, arbitrary: start.map((it) => ({ start: it })) },
    { weight: 2, arbitrary: fc.record({ start, body: tie('steps') }) as fc.Arbitrary<Step> },
    { weight: 1, arbitrary: fc.record({ within, body: tie('steps') }) as fc.Arbitrary<Step> },
  ),
}));

/** Programs of calls on the API of OpenTelemetry, as applications make them, and some that they should not make. */
export const programs: fc.Arbitrary<readonly Step[]> = steps.map((program) => {
  // Without a span there is nothing to call.
  const first: Step[] = [{ start: { tracer: 0, name: 'first', options: undefined, parent: { kind: 'active' } } }];
  return first.concat(program);
});
