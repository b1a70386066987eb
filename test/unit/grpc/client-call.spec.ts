import { beforeEach, describe, expect, it } from '@jest/globals';
import { Metadata } from '@grpc/grpc-js';
import { propagation, trace, type Span } from '@opentelemetry/api';
import type { OperationMeter } from '../../../lib/core/operation-meter.js';
import type { ClientTracingOptions } from '../../../lib/grpc/client-call.js';
import { clientInterceptor } from '../../../lib/grpc/client-interceptor.js';
import type { ClientInterceptingCall, ClientListener } from '../../../lib/grpc/grpc-js.js';
import { resolveGrpc } from '../../../lib/options/grpc.js';
import { recordSpans } from '../../support/recorded-spans.js';

const spans = recordSpans();
const definition = { path: '/test.Echo/Unary', requestStream: false, responseStream: false };
const broken = (what: string) => () => {
  throw new Error(`${what} broke`);
};

let heard: string[] = [];
let atStart = () => {};
beforeEach(() => {
  heard = [];
  atStart = () => {};
});

/** Makes a call and answers it, and records the events that the application and the wire receive. */
function call(over: object = {}, options: Partial<ClientTracingOptions> = {}, metadata = new Metadata()) {
  let wire!: ClientListener;
  const made = {
    start(_metadata: Metadata, given: ClientListener) {
      heard.push('start');
      wire = given;
      atStart();
    },
    sendMessageWithContext: () => void heard.push('send'),
    cancelWithStatus() {},
    getPeer: () => 'dns:host:1',
    ...over,
  } as unknown as ClientInterceptingCall;
  const interceptor = clientInterceptor({
    ...resolveGrpc({}),
    areAttributesReadAtStart: false,
    meter: () => undefined,
    ...options,
  });
  const intercepted = interceptor({ method_definition: definition }, () => made);
  intercepted.start(metadata, {
    onReceiveMetadata: () => void heard.push('metadata'),
    onReceiveMessage: () => void heard.push('message'),
    onReceiveStatus: () => void heard.push('status'),
  });
  intercepted.sendMessageWithContext?.({}, {});
  wire.onReceiveMetadata?.(new Metadata());
  wire.onReceiveMessage?.({});
  wire.onReceiveStatus?.({ code: 0, details: 'OK' });
  return intercepted;
}
const all = ['start', 'send', 'metadata', 'message', 'status'];

describe('a call goes on where tracing fails', () => {
  it('with metadata that cannot be copied', () => {
    call({}, {}, Object.assign(new Metadata(), { clone: broken('clone') }));
    expect([heard, spans.names()]).toEqual([all, ['test.Echo/Unary']]);
  });

  it('with a propagator that throws', () => {
    propagation.setGlobalPropagator({ inject: broken('inject'), extract: (context) => context, fields: () => ['b3'] });
    try {
      call();
    } finally {
      propagation.disable();
    }
    expect([heard, spans.names()]).toEqual([all, ['test.Echo/Unary']]);
  });

  it.each([
    ['that throws', broken('getPeer')],
    ['that is missing', undefined],
  ])('with getPeer() %s', (_what, getPeer) => {
    call({ getPeer });
    expect([heard, spans.names()]).toEqual([all, ['test.Echo/Unary']]);
  });

  it('with a call that another interceptor made by hand', () => {
    call(
      { sendMessageWithContext: undefined, cancelWithStatus: undefined, getPeer: undefined },
      { messageEvents: true },
    );
    expect([heard, spans.names()]).toEqual([all.filter((it) => it !== 'send'), ['test.Echo/Unary']]);
  });

  it.each<[string, (span: Span) => void]>([
    ['was frozen', (span) => Object.freeze(span)],
    ['cannot say whether it records', (span) => Object.assign(span, { isRecording: broken('isRecording') })],
  ])('with a span that %s, and is measured', (_what, change) => {
    const measured: unknown[] = [];
    const meter = { start: () => ({ end: (it: unknown) => measured.push(it) }) } as unknown as OperationMeter;
    atStart = () => change(trace.getActiveSpan()!);
    call({}, { meter: () => meter });
    expect([heard, measured.length]).toEqual([all, 1]);
  });

  it('with a measurement that does not begin, or does not end', () => {
    call({}, { meter: () => ({ start: broken('start') }) as unknown as OperationMeter });
    call({}, { meter: () => ({ start: () => ({ end: broken('end') }) }) as unknown as OperationMeter });
    expect([heard, spans.names()]).toEqual([
      [...all, ...all],
      ['test.Echo/Unary', 'test.Echo/Unary'],
    ]);
  });

  it('with an async ignore, which ignores nothing and is reported', () => {
    call({}, { ignore: (() => Promise.resolve(true)) as never });
    expect([heard, spans.names()]).toEqual([all, ['test.Echo/Unary']]);
  });
});
