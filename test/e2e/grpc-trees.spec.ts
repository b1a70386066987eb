import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ServiceError } from '@grpc/grpc-js';
import { SpanKind } from '@opentelemetry/api';
import { catchError, firstValueFrom, lastValueFrom, map, of, toArray, type Observable, type Subscription } from 'rxjs';
import { startGrpcApp, type GrpcApp, type Message } from '../support/grpc-app.js';
import {
  ask,
  calls,
  callTypes,
  EchoController,
  methodOf,
  PassThroughController,
  reached,
  released,
  type CallType,
  type Script,
} from '../support/scripted-echo.js';
import { failed, handler, rpcCall, rpcClient, rpcServer } from '../support/trace-tree.js';
import { rejection, unhandledRejections } from '../support/unhandled-rejections.js';

/** The outcome of a call: its messages, or its status. */
function outcome(call: Observable<Message>): Promise<string> {
  return lastValueFrom(
    call.pipe(
      toArray(),
      map((messages) => messages.map(({ text }) => text).join()),
      catchError((error: ServiceError) => of(`${error.code} ${error.details}`)),
    ),
  );
}

const isStream = (type: CallType) => type === 'serverStream' || type === 'bidi';

describe('a call', () => {
  let grpc: GrpcApp;
  const call = (type: CallType, ...args: Parameters<typeof ask>) => outcome(calls[type](grpc.echo, ask(...args)));

  beforeAll(async () => {
    grpc = await startGrpcApp({ controllers: [EchoController] });
  });
  afterAll(() => grpc.close());

  describe.each(callTypes)('%s', (type) => {
    const method = methodOf(type);
    const handled = handler(`EchoController.${type}`);

    it('that is answered', async () => {
      await expect(call(type, isStream(type) ? 'answersTwice' : 'answers')).resolves.toMatch(/^one(,two)?$/);
      await grpc.traces.expect(rpcCall(method, 'OK', handled));
    });

    it.each([
      ['throws', 'UNKNOWN: Internal server error', 'Error: broke'],
      ['failsLater', 'UNKNOWN: Internal server error', 'Error: broke later'],
      ['failsAfterOne', 'UNKNOWN: Internal server error', 'Error: broke after one'],
      ['refuses', 'NOT_FOUND: none such', 'RpcException: none such'],
      ['loses', 'DATA_LOSS: all gone', 'RpcException: gone'],
    ] as const satisfies [Script, string, string][])('that fails: %s', async (script, status, exception) => {
      await expect(call(type, script)).resolves.toBe(`${codes[status]} ${status.split(': ')[1]}`);
      await grpc.traces.expect(rpcCall(method, status, failed(handled, exception)));
    });

    it.each([
      ['no', 'UNKNOWN: Forbidden resource', undefined],
      ['forbids', 'PERMISSION_DENIED: not you', 'RpcException: not you'],
      ['crashes', 'UNKNOWN: Internal server error', 'ForbiddenException: guard broke'],
    ] as const)('that a guard stops: %s', async (guard, status, exception) => {
      await expect(call(type, 'answers', guard)).resolves.toBe(`${codes[status]} ${status.split(': ')[1]}`);
      const events = exception ? [`exception ${exception}`] : [];
      await grpc.traces.expect(rpcClient(method, status, rpcServer(method, { code: status, events })));
    });

    it('whose deadline passes', async () => {
      const options = { deadline: Date.now() + 300 };
      await expect(outcome(calls[type](grpc.echo, options))).resolves.toMatch(/^4 Deadline exceeded/);
      const late = 'DEADLINE_EXCEEDED: Deadline exceeded';
      // Nest lets a handler continue whose call gets only one answer.
      if (type === 'unary') released.next();
      await grpc.traces.expect(
        rpcClient(method, { code: 'DEADLINE_EXCEEDED', status: saysWhere }, rpcServer(method, late, handled)),
      );
    });

    it('that its caller gives up', async () => {
      const waiting = firstValueFrom(reached);
      const subscription = calls[type](grpc.echo, ask('waits')).subscribe({ error: () => {} });
      await waiting;
      subscription.unsubscribe();
      if (type === 'unary') {
        await grpc.traces.until((spans) => spans.some(({ kind }) => kind === SpanKind.SERVER), 'the server to notice');
        released.next();
      }
      await grpc.traces.expect(rpcCall(method, 'CANCELLED: Cancelled on client', handled));
    });
  });
});

/** Pass-through handlers use the call itself, without Nest. */
describe.each([['clientStream'], ['bidi']] as const)('a call that is passed through: %s', (type) => {
  let grpc: GrpcApp;
  const method = methodOf(type);
  const handled = handler(`PassThroughController.${type}`);
  const call = (...args: Parameters<typeof ask>) => outcome(calls[type](grpc.echo, ask(...args)));

  beforeAll(async () => {
    grpc = await startGrpcApp({ controllers: [PassThroughController] });
  });
  afterAll(() => grpc.close());

  it('that is answered', async () => {
    await expect(call('answers')).resolves.toBe('one');
    await grpc.traces.expect(rpcCall(method, 'OK', handled));
  });

  it.each([
    ['failsLater', 'UNKNOWN: broke later'],
    ['refuses', 'NOT_FOUND: none such'],
    ['loses', 'DATA_LOSS: all gone'],
  ] as const)('that fails when its handler has returned: %s', async (script, status) => {
    await expect(call(script)).resolves.toMatch(new RegExp(`${status.split(': ')[1]}$`));
    await grpc.traces.expect(rpcCall(method, status, handled));
  });

  it('whose deadline passes', async () => {
    const options = { deadline: Date.now() + 300 };
    await expect(outcome(calls[type](grpc.echo, options))).resolves.toMatch(/^4 Deadline exceeded/);
    const served = rpcServer(method, 'DEADLINE_EXCEEDED: Deadline exceeded', handled);
    await grpc.traces.expect(rpcClient(method, { code: 'DEADLINE_EXCEEDED', status: saysWhere }, served));
    released.next();
  });

  it('that its caller gives up', async () => {
    const waiting = firstValueFrom(reached);
    const subscription = calls[type](grpc.echo, ask('waits')).subscribe({ error: () => {} });
    await waiting;
    subscription.unsubscribe();
    await grpc.traces.expect(rpcCall(method, 'CANCELLED: Cancelled on client', handled));
    released.next();
  });

  // Nest does not handle the failure of such a handler, and leaves its call open.
  it.each([
    ['a guard that says no', () => ask('answers', 'no'), undefined, []],
    ['a guard that throws', () => ask('answers', 'forbids'), undefined, ['exception RpcException: not you']],
    ['a handler that throws', () => ask('throws'), 'Error: broke', []],
  ] as const)('that %s stops, until its caller gives up', async (_what, metadata, exception, events) => {
    let subscription: Subscription | undefined;
    const reasons = await unhandledRejections(async () => {
      subscription = calls[type](grpc.echo, metadata()).subscribe({ error: () => {} });
      await rejection();
    });
    expect(reasons).toHaveLength(1);
    subscription!.unsubscribe();
    const children = exception ? [failed(handled, exception)] : [];
    const code = 'CANCELLED: Cancelled on client';
    await grpc.traces.expect(rpcClient(method, code, rpcServer(method, { code: 'CANCELLED', events }, ...children)));
  });
});

/** The status that the client itself sets when its deadline passes. */
const saysWhere = expect.stringMatching(/^ERROR: Deadline exceeded/);

const codes: Record<string, number> = {
  'UNKNOWN: Internal server error': 2,
  'UNKNOWN: Forbidden resource': 2,
  'NOT_FOUND: none such': 5,
  'PERMISSION_DENIED: not you': 7,
  'DATA_LOSS: all gone': 15,
};
