import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { setDiagnosticsSink } from '../../../../lib/core/diagnostics.js';
import { resolveOptions, type ResolvedOptions } from '../../../../lib/options/resolve-options.js';
import { discardBuffered, startBuffering, startTracing } from '../../../../lib/sdk/bootstrap.js';
import { processState } from '../../../../lib/sdk/lifecycle/process-state.js';
import { TRANSITIONS, type ProviderEvent, type ProviderState } from '../../../../lib/sdk/lifecycle/states.js';
import type { TracingRuntime } from '../../../../lib/tracing.runtime.js';

class Exporter extends InMemorySpanExporter {
  flushes = 0;
  isShutDown = false;
  /** The promise that a shutdown waits for. */
  pending: Promise<void> | undefined;
  #close: () => void = () => {};
  readonly closed = new Promise<void>((resolve) => (this.#close = resolve));

  override forceFlush(): Promise<void> {
    this.flushes++;
    return Promise.resolve();
  }

  override shutdown(): Promise<void> {
    this.isShutDown = true;
    this.#close();
    return this.pending ?? Promise.resolve();
  }
}

/** Propagators with which no provider can be started. */
const INVALID = null as unknown as ResolvedOptions['propagators'];

/** An application with tracing. */
interface Application {
  readonly container: object;
  readonly exporter: Exporter;
  readonly options: { propagators: ResolvedOptions['propagators'] };
  readonly runtime: TracingRuntime;
}

let applications: Map<string, Application>;
let foreign: InMemorySpanExporter | undefined;
let warnings: string[];
/** The promise that the shutdown of the provider of the application "gone" waits for. */
let pendingShutdown: Promise<void> | undefined;
let ahead = 0;
/** Lets the minute pass in which a warning is not written again. */
function passMinute(): void {
  ahead += 120_000;
}

beforeEach(() => {
  applications = new Map();
  warnings = [];
  setDiagnosticsSink({ warn: (message) => warnings.push(message) });
  passMinute();
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
});

afterEach(async () => {
  for (const { runtime } of applications.values()) await runtime.shutdown();
  discardBuffered();
  expect(processState).toMatchObject({ name: 'idle', provider: undefined, suspended: undefined, users: 0 });
  if (foreign) trace.disable();
  foreign = undefined;
  pendingShutdown = undefined;
  jest.restoreAllMocks();
  setDiagnosticsSink();
});

/** Starts tracing for a module of an application; "…, again" is another module of the same one. */
function start(name: string, propagators?: typeof INVALID): TracingRuntime {
  const { container = {} } = applications.get(name.replace(', again', '')) ?? {};
  const exporter = new Exporter();
  const options = {
    ...resolveOptions({ serviceName: name, exporter }, {}),
    ...(propagators !== undefined && { propagators }),
  };
  const runtime = startTracing(options, container);
  applications.set(name, { container, exporter, options, runtime });
  return runtime;
}

function runtime(name: string): TracingRuntime {
  return applications.get(name)!.runtime;
}

/** Starts an application whose provider is shut down by another of its modules. */
async function startGone(): Promise<void> {
  start('gone');
  const { exporter } = applications.get('gone')!;
  exporter.pending = pendingShutdown;
  const shutdown = start('gone, again').shutdown();
  if (!pendingShutdown) await shutdown;
  exporter.isShutDown = false;
  warnings.length = 0;
}

function registerForeignProvider(): void {
  foreign = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: foreign })] }),
  );
}

/** Brings the process into a state, with an application "gone" whose provider is not the one of the state. */
const ARRANGEMENTS = {
  idle: startGone,
  buffering: async () => {
    await startGone();
    startBuffering();
  },
  suspended: async () => {
    await startGone();
    start('first');
    startBuffering();
  },
  unacquired: async () => {
    await startGone();
    start('first');
  },
  'unacquired, foreign': async () => {
    await startGone();
    registerForeignProvider();
    start('first');
  },
  acquired: async () => {
    await startGone();
    start('first').acquire();
    start('second');
    warnings.length = 0;
  },
  'acquired by two': async () => {
    await ARRANGEMENTS.acquired();
    runtime('second').acquire();
  },
};

const REGISTERED: Readonly<Record<ProviderState, readonly string[]>> = {
  idle: [],
  buffering: ['context', 'trace'],
  suspended: ['context', 'trace'],
  unacquired: ['context', 'propagation', 'trace'],
  acquired: ['context', 'propagation', 'trace'],
};

/** Returns the names of what is registered with OpenTelemetry's API. */
function registered(): string[] {
  const key = Symbol.for('opentelemetry.js.api.1');
  const { version: _, ...globals } = (globalThis as { [key]?: Record<string, unknown> })[key] ?? {};
  return Object.keys(globals).toSorted();
}

/** Returns the destination of a span that starts now: an application's exporter, the foreign provider, the buffer or nowhere. */
function destination(): string {
  const span = trace.getTracer('app').startSpan('probe');
  const isRecording = span.isRecording();
  span.end();
  const holds = (exporter?: InMemorySpanExporter) => exporter?.getFinishedSpans().some(({ name }) => name === 'probe');
  for (const [name, { exporter }] of applications) if (holds(exporter)) return name;
  if (holds(foreign)) return 'foreign';
  return isRecording ? 'buffer' : 'nowhere';
}

/** An event in a state, the application that causes it, and its consequences. */
type Case = readonly [
  from: keyof typeof ARRANGEMENTS,
  event: ProviderEvent,
  /** The application of the event. */
  by: string,
  to: ProviderState,
  /** The destination of spans afterwards. */
  spans: string,
  also?: {
    /** The application whose provider is shut down. */
    readonly closes?: string;
    readonly warning?: RegExp;
  },
];

const SHARING = { warning: /one tracer provider per process/ };
const FOREIGN = { warning: /A tracer provider is registered already/ };
const REPETITION = { warning: /configured more than once/ };
const CLOSES_FIRST = { closes: 'first' };

const CASES: readonly Case[] = [
  ['idle', 'startBuffering', 'next', 'buffering', 'buffer'],
  ['idle', 'discardBuffered', 'next', 'idle', 'nowhere'],
  ['idle', 'start', 'next', 'unacquired', 'next'],
  ['idle', 'start', 'invalid', 'idle', 'nowhere'],
  ['idle', 'acquire', 'gone', 'acquired', 'gone'],
  ['idle', 'shutdown', 'gone', 'idle', 'nowhere'],

  ['buffering', 'startBuffering', 'next', 'buffering', 'buffer'],
  ['buffering', 'discardBuffered', 'next', 'idle', 'nowhere'],
  ['buffering', 'start', 'next', 'unacquired', 'next'],
  ['buffering', 'start', 'invalid', 'idle', 'nowhere'],
  ['buffering', 'acquire', 'gone', 'acquired', 'gone'],
  ['buffering', 'shutdown', 'gone', 'buffering', 'buffer'],

  ['suspended', 'startBuffering', 'next', 'suspended', 'buffer'],
  ['suspended', 'discardBuffered', 'next', 'unacquired', 'first'],
  ['suspended', 'start', 'next', 'unacquired', 'next', CLOSES_FIRST],
  ['suspended', 'start', 'invalid', 'unacquired', 'first'],
  ['suspended', 'acquire', 'first', 'acquired', 'first'],
  ['suspended', 'acquire', 'gone', 'acquired', 'gone', CLOSES_FIRST],
  ['suspended', 'shutdown', 'first', 'buffering', 'buffer', CLOSES_FIRST],
  ['suspended', 'shutdown', 'gone', 'suspended', 'buffer'],

  ['unacquired', 'startBuffering', 'next', 'suspended', 'buffer'],
  ['unacquired', 'discardBuffered', 'next', 'unacquired', 'first'],
  ['unacquired', 'start', 'next', 'unacquired', 'first', SHARING],
  ['unacquired', 'start', 'first, again', 'unacquired', 'first', REPETITION],
  ['unacquired', 'acquire', 'first', 'acquired', 'first'],
  ['unacquired', 'acquire', 'gone', 'acquired', 'first', SHARING],
  ['unacquired', 'shutdown', 'first', 'idle', 'nowhere', CLOSES_FIRST],
  ['unacquired', 'shutdown', 'gone', 'unacquired', 'first'],

  ['unacquired, foreign', 'startBuffering', 'next', 'unacquired', 'foreign'],
  ['unacquired, foreign', 'start', 'next', 'unacquired', 'foreign', FOREIGN],
  ['unacquired, foreign', 'start', 'first, again', 'unacquired', 'foreign', REPETITION],
  ['unacquired, foreign', 'start', 'invalid', 'idle', 'foreign'],

  ['acquired', 'startBuffering', 'next', 'acquired', 'first'],
  ['acquired', 'discardBuffered', 'next', 'acquired', 'first'],
  ['acquired', 'start', 'next', 'acquired', 'first', SHARING],
  ['acquired', 'start', 'first, again', 'acquired', 'first', REPETITION],
  ['acquired', 'acquire', 'second', 'acquired', 'first'],
  ['acquired', 'acquire', 'gone', 'acquired', 'first', SHARING],
  ['acquired', 'release', 'first', 'unacquired', 'first'],
  ['acquired', 'shutdown', 'first', 'idle', 'nowhere', CLOSES_FIRST],
  ['acquired', 'shutdown', 'second', 'acquired', 'first'],
  ['acquired', 'shutdown', 'gone', 'acquired', 'first'],

  ['acquired by two', 'release', 'first', 'acquired', 'first'],
  ['acquired by two', 'shutdown', 'first', 'acquired', 'first'],
];

/** Returns the state of the table that a process arranged like this is in. */
function stateOf(arrangement: Case[0]): string {
  return arrangement.split(/,| by/)[0]!;
}

function cause(event: ProviderEvent, by: string): unknown {
  switch (event) {
    case 'startBuffering':
      return startBuffering();
    case 'discardBuffered':
      return discardBuffered();
    case 'start':
      return by === 'invalid' ? expect(() => start(by, INVALID)).toThrow(TypeError) : start(by);
    default:
      return runtime(by)[event]();
  }
}

for (const [from, event, by, to, spans, { closes, warning } = {}] of CASES) {
  it(`in the state "${from}", ${event} of the application "${by}" leads to "${to}"`, async () => {
    await ARRANGEMENTS[from]();
    expect(processState.name).toBe(stateOf(from));
    warnings.length = 0;
    passMinute();
    await cause(event, by);
    expect(processState.name).toBe(to);
    expect(registered()).toEqual(foreign && to === 'idle' ? ['trace'] : REGISTERED[to]);
    expect(destination()).toBe(spans);
    if (to === 'idle')
      expect(processState.tracerProvider.getTracer('app').startSpan('early').isRecording()).toBe(false);
    expect(warnings).toEqual(warning ? [expect.stringMatching(warning)] : []);
    if (closes) await applications.get(closes)!.exporter.closed;
    await new Promise((resolve) => setImmediate(resolve));
    const open = [...applications].filter(([name, { exporter }]) => name !== closes && exporter.isShutDown);
    expect(open).toEqual([]);
  });
}

it.each(['unacquired', 'acquired'] as const)(
  'flushes the provider of the state %s for one that joins it',
  async (from) => {
    await ARRANGEMENTS[from]();
    runtime('gone').acquire();
    await runtime('gone').flush();
    expect(applications.get('first')!.exporter.flushes).toBe(1);
  },
);

it('flushes a provider that others have acquired when one application shuts down', async () => {
  await ARRANGEMENTS.acquired();
  const { exporter } = applications.get('first')!;
  await runtime('second').shutdown();
  expect(exporter).toMatchObject({ flushes: 1, isShutDown: false });
});

it('keeps its state if the provider of an application that is up cannot be started', async () => {
  await ARRANGEMENTS.buffering();
  const { options } = applications.get('gone')!;
  const { propagators } = options;
  options.propagators = INVALID;
  expect(() => runtime('gone').acquire()).toThrow(TypeError);
  expect([processState.name, destination()]).toEqual(['buffering', 'buffer']);
  options.propagators = propagators;
  runtime('gone').acquire();
  expect([processState.name, destination()]).toEqual(['acquired', 'gone']);
});

it('exports no span of earlier starts that have failed while a provider is suspended', async () => {
  await ARRANGEMENTS.suspended();
  const work = (name: string) => trace.getTracer('app').startSpan(name).end();
  work('of one that fails');
  startBuffering();
  work('of the next');
  start('next');
  const { exporter } = applications.get('next')!;
  expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['of the next']);
});

it.each(Object.keys(REGISTERED) as ProviderState[])(
  'waits in the state %s for the shutdown of a provider that is under way',
  async (from) => {
    let finish = () => {};
    pendingShutdown = new Promise((resolve) => (finish = resolve));
    await ARRANGEMENTS[from]();
    const settled = jest.fn();
    const shutdown = runtime('gone').shutdown().then(settled);
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).not.toHaveBeenCalled();
    finish();
    await shutdown;
  },
);

it('has a case for each transition of the table', () => {
  for (const [state, row] of Object.entries(TRANSITIONS)) {
    for (const [event, cell] of Object.entries(row)) {
      const cases = CASES.filter(([from, other]) => stateOf(from) === state && other === event);
      const isPossible = event !== 'release' || state === 'acquired';
      const transitions = !isPossible ? 0 : 'effects' in cell ? 1 : cell.length;
      expect([state, event, cases.length >= transitions]).toEqual([state, event, true]);
    }
  }
});
