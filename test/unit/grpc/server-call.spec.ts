import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Metadata } from '@grpc/grpc-js';
import type { ServerInterceptingCall, ServerListener, Status } from '../../../lib/grpc/grpc-js.js';
import { OpenCalls } from '../../../lib/grpc/open-calls.js';
import { serverInterceptor } from '../../../lib/grpc/server-interceptor.js';
import { resolveGrpc } from '../../../lib/options/grpc.js';
import { recordSpans } from '../../support/recorded-spans.js';

const spans = recordSpans();
const definition = { path: '/test.Echo/Unary', requestStream: false, responseStream: false };
const listener: ServerListener = {
  onReceiveMetadata() {},
  onReceiveMessage() {},
  onReceiveHalfClose() {},
  onCancel() {},
};

/** A call as grpc-js makes it, for its wire to be played by hand. */
function serve(over: Partial<ServerInterceptingCall> = {}) {
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
  serverInterceptor({ ...resolveGrpc({}), meter: undefined }, new OpenCalls())(definition, call).start(listener);
  wire.onReceiveMetadata(new Metadata());
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
