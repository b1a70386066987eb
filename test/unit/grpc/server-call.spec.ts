import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Metadata } from '@grpc/grpc-js';
import { trace, type Span } from '@opentelemetry/api';
import type { OperationMeter } from '../../../lib/core/operation-meter.js';
import type { ServerInterceptingCall, ServerListener, ServerStream, Status } from '../../../lib/grpc/grpc-js.js';
import { OpenCalls } from '../../../lib/grpc/open-calls.js';
import { serverInterceptor } from '../../../lib/grpc/server-interceptor.js';
import type { ServerTracingOptions } from '../../../lib/grpc/server-call.js';
import { resolveGrpc } from '../../../lib/options/grpc.js';
import { recordSpans } from '../../support/recorded-spans.js';

const spans = recordSpans();
const definition = { path: '/test.Echo/Unary', requestStream: false, responseStream: false };
/** The events that the handler has received, and the function that it calls at its start. */
let heard: string[] = [];
let atStart = () => {};
const listener: ServerListener = {
  onReceiveMetadata() {
    heard.push('metadata');
    atStart();
  },
  onReceiveMessage: () => void heard.push('message'),
  onReceiveHalfClose: () => void heard.push('half-close'),
  onCancel: () => void heard.push('cancel'),
};

/** A call as grpc-js makes it, whose events from the wire the test triggers itself. */
function serve(
  over: Partial<ServerInterceptingCall> = {},
  options: Partial<ServerTracingOptions> = {},
  metadata = new Metadata(),
) {
  let wire!: ServerListener;
  const sent: Status[] = [];
  const call: ServerInterceptingCall = {
    start(given) {
      wire = given;
    },
    sendMetadata() {},
    sendMessage() {},
    sendStatus: (status) => void sent.push(status),
    getPeer: () => 'unknown',
    getHost: () => 'host:1',
    getDeadline: () => Infinity,
    ...over,
  };
  serverInterceptor({ ...resolveGrpc({}), meter: undefined, ...options }, new OpenCalls())(definition, call).start(
    listener,
  );
  wire.onReceiveMetadata(metadata);
  return { call, wire, sent };
}

const statusOf = () => spans.one('test.Echo/Unary').attributes['rpc.status_code'];

describe('a call that is cancelled', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'performance', 'hrtime'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it.each([
    ['without a deadline', Infinity, 1000, 'CANCELLED'],
    ['long before its deadline', 10_000, 1000, 'CANCELLED'],
    ['before the last tenth', 10_000, 8999, 'CANCELLED'],
    ['in the last tenth', 10_000, 9001, 'DEADLINE_EXCEEDED'],
    ['before the last moments of a short time', 200, 149, 'CANCELLED'],
    ['in the last moments of a short time', 200, 151, 'DEADLINE_EXCEEDED'],
    ['in the first half of a very short time', 20, 9, 'CANCELLED'],
    ['in the second half of a very short time', 20, 11, 'DEADLINE_EXCEEDED'],
    ['after its deadline', 10, 1000, 'DEADLINE_EXCEEDED'],
  ])('%s', (_when, timeout, after, status) => {
    const deadline = Date.now() + timeout;
    const { wire } = serve({ getDeadline: () => deadline });
    jest.advanceTimersByTime(after);
    wire.onCancel();
    expect(statusOf()).toBe(status);
  });
});

describe('a status', () => {
  it('counts once, and nothing after it', () => {
    const { call, wire, sent } = serve();
    call.sendStatus({ code: 5, details: 'none' });
    call.sendStatus({ code: 0, details: 'OK' });
    wire.onCancel();
    expect([sent.length, statusOf()]).toEqual([2, 'NOT_FOUND']);
  });

  it('does not count when the caller is gone', () => {
    const { call, wire } = serve({ checkCancelled: () => true });
    call.sendStatus({ code: 0, details: 'OK' });
    wire.onCancel();
    expect(statusOf()).toBe('CANCELLED');
  });

  it('without a code is unknown', () => {
    serve().call.sendStatus({});
    expect(statusOf()).toBe('UNKNOWN');
  });
});

it('a peer that is not known leaves no attributes', () => {
  serve().call.sendStatus({ code: 0 });
  expect(spans.one('test.Echo/Unary').attributes).toEqual({
    'rpc.system.name': 'grpc',
    'rpc.method': 'test.Echo/Unary',
    'rpc.status_code': 'OK',
    'server.address': 'host',
    'server.port': 1,
  });
});

describe('a status that follows messages', () => {
  function answer(over: Partial<ServerStream> = {}) {
    const stream = Object.assign(new EventEmitter(), {
      headersSent: true,
      closed: false,
      destroyed: false,
      rstCode: 0,
      ...over,
    });
    const served = serve({ stream });
    served.call.sendStatus({ code: 0 });
    return { ...served, stream };
  }

  it('counts when it was sent', () => {
    const { stream, wire } = answer();
    expect(spans.names()).toEqual([]);
    Object.assign(stream, { sentTrailers: {} });
    wire.onCancel();
    expect(statusOf()).toBe('OK');
  });

  it('counts when it is sent later, as of older releases of grpc-js', () => {
    const { stream, wire } = answer();
    wire.onCancel();
    expect(spans.names()).toEqual([]);
    Object.assign(stream, { sentTrailers: {} });
    stream.emit('wantTrailers');
    stream.emit('close');
    expect(statusOf()).toBe('OK');
  });

  it.each([
    ['before', true],
    ['after', false],
  ])('does not count if the stream is closed first, %s onCancel()', (_when, closed) => {
    const { stream, wire } = answer({ closed });
    wire.onCancel();
    stream.emit('close');
    expect(statusOf()).toBe('CANCELLED');
  });
});

describe('a call goes on where tracing fails', () => {
  const broken = (what: string) => () => {
    throw new Error(`${what} broke`);
  };
  /** Creates a meter. Its measurements start and end normally, unless `over` replaces these functions. */
  const meter = (over: { start?: () => never; end?: () => void } = {}) => {
    const measured: unknown[] = [];
    const end = (attributes: unknown) => {
      measured.push(attributes);
      over.end?.();
    };
    return { measured, meter: { start: over.start ?? (() => ({ end })) } as unknown as OperationMeter };
  };
  const duringCall = (change: (span: Span) => void) => {
    atStart = () => change(trace.getActiveSpan()!);
  };
  beforeEach(() => {
    heard = [];
    atStart = () => {};
  });

  function play(...given: Parameters<typeof serve>) {
    const served = serve(...given);
    served.wire.onReceiveMessage({});
    served.wire.onReceiveHalfClose();
    served.call.sendStatus({ code: 0 });
    served.wire.onCancel();
    expect(heard).toEqual(['metadata', 'message', 'half-close', 'cancel']);
    expect(served.sent).toEqual([{ code: 0 }]);
  }

  it.each(['getPeer', 'getHost', 'getConnectionInfo', 'getDeadline'] as const)('in %s()', (member) => {
    play({ [member]: broken(member) });
    expect(statusOf()).toBe('OK');
  });

  it.each(['getPeer', 'getHost', 'getDeadline'] as const)('without %s()', (member) => {
    play({ [member]: undefined });
    expect(statusOf()).toBe('OK');
    const { wire } = serve({ [member]: undefined });
    wire.onCancel();
    expect(spans.all().map(({ attributes }) => attributes['rpc.status_code'])).toEqual(['OK', 'CANCELLED']);
  });

  it('with metadata that cannot be read', () => {
    const metadata = Object.assign(new Metadata(), { get: broken('get'), getMap: broken('getMap') });
    play({}, { requestMetadata: [{ name: 'x-tenant', isSecret: false }] }, metadata);
    expect(spans.names()).toEqual(['test.Echo/Unary']);
  });

  it('with a span that was frozen, and is measured', () => {
    duringCall((span) => Object.freeze(span));
    const { measured, meter: it } = meter();
    play({}, { meter: it });
    expect(measured).toHaveLength(1);
  });

  it('with a span whose isRecording() throws, and is measured', () => {
    duringCall((span) => Object.assign(span, { isRecording: broken('isRecording') }));
    const { measured, meter: it } = meter();
    play({}, { meter: it, messageEvents: true });
    expect(measured).toHaveLength(1);
    expect(spans.names()).toEqual(['test.Echo/Unary']);
  });

  it('with a measurement that does not begin, or does not end', () => {
    play({}, { meter: meter({ start: broken('start') }).meter });
    heard = [];
    play({}, { meter: meter({ end: broken('end') }).meter });
    expect(spans.names()).toEqual(['test.Echo/Unary', 'test.Echo/Unary']);
  });

  it('with a call that takes no methods', () => {
    const sent: Status[] = [];
    const call = Object.freeze({
      start: (given: ServerListener) => given.onReceiveMetadata(new Metadata()),
      sendMetadata() {},
      sendMessage() {},
      sendStatus: (status: Status) => void sent.push(status),
      getPeer: () => 'unknown',
      getDeadline: () => Infinity,
    });
    serverInterceptor({ ...resolveGrpc({}), meter: undefined }, new OpenCalls())(definition, call).start(listener);
    call.sendStatus({ code: 0 });
    expect([heard, sent]).toEqual([['metadata'], [{ code: 0 }]]);
  });

  it.each([true, false])('with an async ignore that brings %s: it ignores nothing', (answer) => {
    play({}, { ignore: (() => Promise.resolve(answer)) as never });
    expect(spans.names()).toEqual(['test.Echo/Unary']);
  });
});
