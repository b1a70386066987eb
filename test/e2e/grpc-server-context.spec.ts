import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  Injectable,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { GrpcMethod, GrpcStreamCall, GrpcStreamMethod } from '@nestjs/microservices';
import type { sendUnaryData, ServerDuplexStream, ServerReadableStream } from '@grpc/grpc-js';
import { trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { Span } from 'nestjs-tracing';
import {
  concatMap,
  delay,
  finalize,
  firstValueFrom,
  from,
  lastValueFrom,
  map,
  merge,
  NEVER,
  take,
  tap,
  throwError,
  timer,
  toArray,
  type Observable,
} from 'rxjs';
import { startGrpcApp, type GrpcApp, type Message } from '../support/grpc-app.js';
import { failed, handler, rpcCall, rpcClient, rpcServer } from '../support/trace-tree.js';

/** The names of the spans that were active when the application's code ran, by the place in the code. */
let places: Record<string, string[]> = {};
let cancelled: () => void = () => {};

function note(place: string, book = places): void {
  const span = trace.getActiveSpan() as Partial<ReadableSpan> | undefined;
  const seen = (book[place] ??= []);
  const name = `${['', 'SERVER ', 'CLIENT '][span?.kind ?? 0]}${span?.name}`;
  if (!seen.includes(name)) seen.push(name);
}

@Injectable()
class NotingGuard implements CanActivate {
  async canActivate() {
    note('guard');
    await lastValueFrom(timer(1));
    note('guard');
    return true;
  }
}

@Injectable()
class NotingPipe implements PipeTransform {
  transform(value: unknown) {
    note('pipe');
    return value;
  }
}

@Injectable()
class NotingInterceptor implements NestInterceptor {
  intercept(_execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    note('interceptor');
    return next.handle().pipe(tap(() => note('interceptor')));
  }
}

@Catch()
class NotingFilter implements ExceptionFilter {
  catch() {
    note('filter');
    return throwError(() => ({ code: 3, message: 'filtered' }));
  }
}

/** Records the active span before and after waiting, and in a timer. */
async function work(place: string): Promise<void> {
  // A handler whose call was cancelled may still run when the next test has started.
  const book = places;
  note(place, book);
  await Promise.resolve();
  note(place, book);
  await new Promise<void>((resolve) =>
    setTimeout(() => {
      note(place, book);
      resolve();
    }, 1),
  );
  note(place, book);
}

@Injectable()
class Steps {
  @Span('step')
  async take(message: Message): Promise<Message> {
    await work('step');
    return message;
  }
}
const steps = new Steps();

const staged = [
  UseGuards(NotingGuard),
  UsePipes(NotingPipe),
  UseInterceptors(NotingInterceptor),
  UseFilters(NotingFilter),
];
function Staged(): ClassDecorator {
  return (target) => staged.forEach((decorate) => decorate(target));
}

@Controller()
@Staged()
class EchoController {
  @GrpcMethod('Echo', 'Unary')
  async unary({ text }: Message): Promise<Message> {
    await work('handler');
    if (text === 'throw') throw new Error('broke');
    return steps.take({ text: 'done' });
  }

  @GrpcMethod('Echo', 'ServerStream')
  serverStream({ count = 0 }: Message): Observable<Message> {
    note('handler');
    return timer(0, 1).pipe(
      tap(() => note('operator')),
      concatMap((n) => work('operator').then(() => ({ count: n }))),
      take(count),
      finalize(() => note('teardown')),
    );
  }

  @GrpcStreamMethod('Echo', 'ClientStream')
  clientStream(messages: Observable<Message>): Observable<Message> {
    note('handler');
    return messages.pipe(
      tap(() => note('message')),
      concatMap((message) => steps.take(message)),
      tap({ next: () => note('operator'), complete: () => note('end') }),
      toArray(),
      map((all) => ({ count: all.length })),
    );
  }

  @GrpcStreamMethod('Echo', 'Bidi')
  async bidi(messages: Observable<Message>): Promise<Observable<Message>> {
    await work('handler');
    return messages.pipe(
      tap({ next: () => note('message'), complete: () => note('end') }),
      delay(1),
      tap(() => note('operator')),
      concatMap((message) => steps.take(message)),
    );
  }
}

@Controller()
class PassThroughController {
  @GrpcStreamCall('Echo', 'ClientStream')
  async clientStream(call: ServerReadableStream<Message, Message>, callback: sendUnaryData<Message>): Promise<void> {
    await work('handler');
    let count = 0;
    call.on('data', () => {
      note('data');
      count++;
    });
    call.on('end', () => {
      note('end');
      async function answer() {
        await work('end');
        callback(null, { count });
      }
      void answer();
    });
  }

  @GrpcStreamCall('Echo', 'Bidi')
  bidi(call: ServerDuplexStream<Message, Message>): void {
    note('handler');
    call.on('cancelled', () => {
      note('cancelled');
      cancelled();
    });
    call.on('end', () => {
      note('end');
      async function fill() {
        await work('end');
        call.once('drain', () => {
          note('drain');
          call.end();
        });
        while (call.write({ text: 'more' }));
      }
      void fill();
    });
    call.on('data', (message: Message) => {
      note('data');
      async function answer() {
        await steps.take(message);
        note('data');
        call.write(message);
      }
      void answer();
    });
  }
}

const messages = (count: number) => from(Array.from({ length: count }, (_, n): Message => ({ count: n })));

describe('the active span', () => {
  let grpc: GrpcApp;
  beforeAll(async () => {
    grpc = await startGrpcApp({ controllers: [EchoController] });
  });
  beforeEach(() => {
    places = {};
  });
  afterAll(() => grpc.close());

  /** The expected places: only the handler itself runs in the handler's span. */
  const stages = (method: string, handled: string) => ({
    guard: [`SERVER test.Echo/${method}`],
    pipe: [`SERVER test.Echo/${method}`],
    interceptor: [`SERVER test.Echo/${method}`],
    handler: [handled],
  });
  const step = handler('Steps.take');
  step.name = 'step';

  it('of a unary call', async () => {
    await lastValueFrom(grpc.echo.unary({}));
    expect(places).toEqual({ ...stages('Unary', 'EchoController.unary'), step: ['step'] });
    await grpc.traces.expect(rpcCall('test.Echo/Unary', 'OK', handler('EchoController.unary', step)));
  });

  it('of a filter', async () => {
    await expect(lastValueFrom(grpc.echo.unary({ text: 'throw' }))).rejects.toThrow('filtered');
    expect(places).toEqual({ ...stages('Unary', 'EchoController.unary'), filter: ['SERVER test.Echo/Unary'] });
    const handled = failed(handler('EchoController.unary'), 'Error: broke');
    await grpc.traces.expect(rpcCall('test.Echo/Unary', 'INVALID_ARGUMENT: filtered', handled));
  });

  it('of a server stream, to its end and given up', async () => {
    const handled = handler('EchoController.serverStream');
    const expected = { ...stages('ServerStream', handled.name), operator: [handled.name] };
    await lastValueFrom(grpc.echo.serverStream({ count: 3 }));
    expect(places).toEqual({ ...expected, teardown: [expect.any(String)] });
    await grpc.traces.expect(rpcCall('test.Echo/ServerStream', 'OK', handled));
    places = {};
    await firstValueFrom(grpc.echo.serverStream({ count: 1000 }));
    await grpc.traces.expect(rpcCall('test.Echo/ServerStream', 'CANCELLED: Cancelled on client', handled));
    expect(places).toEqual({ ...expected, teardown: [handled.name] });
  });

  it('of a client stream: messages arrive in the span of the handler', async () => {
    await lastValueFrom(grpc.echo.clientStream(messages(3)));
    const handled = handler('EchoController.clientStream', step, step, step);
    expect(places).toEqual({
      ...stages('ClientStream', handled.name),
      message: [handled.name],
      // The answer of a separate step is passed on in the context in which the step was called.
      operator: [handled.name],
      end: [handled.name],
      step: ['step'],
    });
    await grpc.traces.expect(rpcCall('test.Echo/ClientStream', 'OK', handled));
  });

  it('of a stream both ways: messages arrive in the span of the handler', async () => {
    await lastValueFrom(grpc.echo.bidi(messages(3)));
    const handled = handler('EchoController.bidi', step, step, step);
    expect(places).toEqual({
      ...stages('Bidi', handled.name),
      message: [handled.name],
      operator: [handled.name],
      end: [handled.name],
      step: ['step'],
    });
    await grpc.traces.expect(rpcCall('test.Echo/Bidi', 'OK', handled));
  });

  it('of many calls at once stays their own', async () => {
    const texts = Array.from({ length: 50 }, (_, n) => `call ${n}`);
    const answers = texts.flatMap((text) => [
      lastValueFrom(grpc.echo.unary({ text })),
      lastValueFrom(grpc.echo.bidi(messages(2))),
      lastValueFrom(grpc.echo.serverStream({ count: 2 })),
    ]);
    await Promise.all(answers);
    await grpc.traces.until((spans) => spans.length === 50 * (4 + 5 + 3));
    const spans = grpc.traces.take();
    const traceOf = (span: ReadableSpan) => span.spanContext().traceId;
    const roots = spans.filter((span) => !span.parentSpanContext);
    expect(new Set(roots.map(traceOf)).size).toBe(150);
    for (const root of roots) {
      const names = spans.filter((span) => traceOf(span) === traceOf(root)).map((span) => span.name);
      const wanted = { Unary: ['step'], Bidi: ['step', 'step'], ServerStream: [] }[root.name.split('/')[1]!]!;
      const type = root.name.split('/')[1]!;
      const handled = `EchoController.${type[0]!.toLowerCase()}${type.slice(1)}`;
      expect(names.toSorted()).toEqual([root.name, root.name, handled, ...wanted].toSorted());
    }
  });
});

describe('the active span of a pass-through handler', () => {
  let grpc: GrpcApp;
  beforeAll(async () => {
    grpc = await startGrpcApp({ controllers: [PassThroughController] });
  });
  beforeEach(() => {
    places = {};
  });
  afterAll(() => grpc.close());

  // By then, the handler has returned and its span has ended, but the call's span has not.
  const inCall = (method: string) => [`SERVER test.Echo/${method}`];

  it('of a client stream', async () => {
    await expect(lastValueFrom(grpc.echo.clientStream(messages(3)))).resolves.toMatchObject({ count: 3 });
    const handled = handler('PassThroughController.clientStream');
    const call = inCall('ClientStream');
    expect(places).toEqual({ handler: [handled.name], data: call, end: call });
    await grpc.traces.expect(rpcCall('test.Echo/ClientStream', 'OK', handled));
  });

  it('of a stream both ways', async () => {
    await lastValueFrom(grpc.echo.bidi(messages(3)));
    const handled = handler('PassThroughController.bidi');
    const call = inCall('Bidi');
    expect(places).toEqual({
      handler: [handled.name],
      cancelled: call,
      data: call,
      drain: call,
      end: call,
      step: ['step'],
    });
    const step = { name: 'step' };
    await grpc.traces.expect(
      rpcClient('test.Echo/Bidi', 'OK', rpcServer('test.Echo/Bidi', 'OK', handled, step, step, step)),
    );
  });

  it('of a stream both ways that is given up', async () => {
    const over = new Promise<void>((resolve) => (cancelled = resolve));
    await firstValueFrom(grpc.echo.bidi(merge(messages(1), NEVER)));
    await over;
    expect(places.cancelled).toEqual(inCall('Bidi'));
    const handled = handler('PassThroughController.bidi');
    await grpc.traces.expect(rpcCall('test.Echo/Bidi', 'CANCELLED: Cancelled on client', handled, { name: 'step' }));
  });
});
