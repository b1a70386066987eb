import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  Inject,
  Injectable,
  ParseIntPipe,
  Scope,
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
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { Ctx, EventPattern, MessagePattern, Payload, RpcException, Transport } from '@nestjs/microservices';
import { SpanKind } from '@opentelemetry/api';
import { Span } from 'nestjs-tracing';
import { catchError, concat, lastValueFrom, map, of, throwError, toArray, type Observable } from 'rxjs';
import { freePort } from '../support/free-port.js';
import { received, startMessagingApp, untilReceived, type MessagingApp } from '../support/messaging-app.js';
import { failed, handler, type ExpectedSpan } from '../support/trace-tree.js';

@Injectable()
class GlobalGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Injectable()
class GlobalInterceptor implements NestInterceptor {
  intercept(_execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

@Catch(RangeError)
class GlobalFilter implements ExceptionFilter {
  catch(exception: RangeError): Observable<unknown> {
    return of(`caught ${exception.message}`);
  }
}

@Injectable({ scope: Scope.REQUEST })
class ScopedGuard implements CanActivate {
  async canActivate(): Promise<boolean> {
    await this.look();
    return true;
  }

  @Span()
  private async look(): Promise<void> {}
}

@Injectable()
class ClosedGuard implements CanActivate {
  canActivate(): boolean {
    throw new RpcException('closed');
  }
}

@Injectable()
class NoGuard implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

@Injectable()
class UpperInterceptor implements NestInterceptor {
  intercept(_execution: ExecutionContext, next: CallHandler<string>): Observable<string> {
    return next.handle().pipe(map((text) => text.toUpperCase()));
  }
}

@Injectable()
class TrimPipe implements PipeTransform {
  transform(value: unknown): unknown {
    return typeof value === 'string' ? value.trim() : value;
  }
}

@Catch(RpcException)
class RpcFilter implements ExceptionFilter {
  catch(exception: RpcException): Observable<never> {
    return throwError(() => exception.getError());
  }
}

@Injectable({ scope: Scope.REQUEST })
class State {}

@Controller()
@UseFilters(RpcFilter)
class EchoController {
  @MessagePattern('echo')
  @UseGuards(ScopedGuard)
  @UseInterceptors(UpperInterceptor)
  @UsePipes(TrimPipe)
  async echo(@Payload() text: string, @Ctx() _context: unknown): Promise<string> {
    await Promise.resolve();
    return text;
  }

  @MessagePattern('number')
  number(@Payload('id', ParseIntPipe) id: number): number {
    return id;
  }

  @MessagePattern('closed')
  @UseGuards(ClosedGuard)
  closed(): string {
    return 'never reached';
  }

  @MessagePattern('rejected')
  @UseGuards(NoGuard)
  rejected(): string {
    return 'never reached';
  }

  @MessagePattern('far')
  far(): never {
    throw new RangeError('too far');
  }

  @MessagePattern('many')
  @UseInterceptors(UpperInterceptor)
  many(): Observable<string> {
    return concat(
      of('a', 'b'),
      throwError(() => new RpcException('enough')),
    );
  }

  @EventPattern('told')
  @UseGuards(ScopedGuard)
  @UsePipes(TrimPipe)
  told(@Payload() data: string): void {
    received.emit('told', data);
  }
}

@Controller()
class SecondListener {
  @EventPattern('told')
  @UseInterceptors(UpperInterceptor)
  told(data: string): string {
    return data;
  }
}

/** Is created for each message, and with it what is around it. */
@Controller()
class ScopedController {
  constructor(@Inject(State) readonly state: State) {}

  @MessagePattern('scoped')
  @UseGuards(ScopedGuard)
  @UseInterceptors(UpperInterceptor)
  @UseFilters(RpcFilter)
  @UsePipes(TrimPipe)
  scoped(@Payload() text: string): string {
    if (text === 'fail') throw new RpcException('failed');
    return text;
  }
}

function stage(name: string, kind: string, method: string, ...children: ExpectedSpan[]): ExpectedSpan {
  return { name, attributes: { 'nestjs.stage': kind, 'code.function.name': `${name}.${method}` }, children };
}
const guard = (name: string, ...children: ExpectedSpan[]) => stage(name, 'guard', 'canActivate', ...children);
const scopedGuard = guard('ScopedGuard', { name: 'ScopedGuard.look' });
const within = (name: string, ...children: ExpectedSpan[]) => stage(name, 'interceptor', 'intercept', ...children);
const trim = stage('TrimPipe', 'pipe', 'transform');
const rpcFilter = stage('RpcFilter', 'filter', 'catch');

describe('the stages of a message', () => {
  let messaging: MessagingApp;
  beforeAll(async () => {
    const port = await freePort();
    messaging = await startMessagingApp(
      { transport: Transport.TCP, options: { port } },
      {
        controllers: [EchoController, SecondListener, ScopedController],
        providers: [
          State,
          { provide: APP_GUARD, useClass: GlobalGuard },
          { provide: APP_INTERCEPTOR, useClass: GlobalInterceptor },
          { provide: APP_FILTER, useClass: GlobalFilter },
        ],
        tracing: { nest: { lifecycle: true }, messaging: { events: 'parent' } },
      },
    );
  });
  afterAll(() => messaging.close());

  const ask = (pattern: string, data: unknown = {}) =>
    lastValueFrom(
      messaging.client.send<unknown>(pattern, data).pipe(
        catchError((error: unknown) => of(error)),
        toArray(),
      ),
    );
  const request = (pattern: string, ...children: ExpectedSpan[]): ExpectedSpan => ({
    name: pattern,
    kind: 'CLIENT',
    children: [{ name: pattern, kind: 'SERVER', children }],
  });
  /** What the filter of the controller answers with is all that the client knows of the exception. */
  const failedRequest = (pattern: string, ...children: ExpectedSpan[]): ExpectedSpan => ({
    ...failed(request(pattern), `string: ${pattern === 'closed' ? 'closed' : 'failed'}`),
    children: [{ name: pattern, kind: 'SERVER', status: 'ERROR', children }],
  });
  /** Takes the spans, and returns the names of those on the server that have recorded an exception. */
  const recorded = () =>
    messaging.traces
      .take()
      .filter(({ kind }) => kind !== SpanKind.CLIENT)
      .flatMap(({ name, events }) => events.map(() => name));

  it('have spans, with pipes and the handler within the interceptors', async () => {
    await expect(ask('echo', ' hi ')).resolves.toEqual(['HI']);
    await messaging.traces.expect(
      request(
        'echo',
        guard('GlobalGuard'),
        scopedGuard,
        within('GlobalInterceptor', within('UpperInterceptor', trim, trim, handler('EchoController.echo'))),
      ),
    );
  });

  it('have spans in a controller of request scope', async () => {
    await expect(ask('scoped', ' hi ')).resolves.toEqual(['HI']);
    const inner = within('UpperInterceptor', trim, handler('ScopedController.scoped'));
    await messaging.traces.expect(
      request('scoped', guard('GlobalGuard'), scopedGuard, within('GlobalInterceptor', inner)),
    );
    await expect(ask('scoped', 'fail')).resolves.toEqual(['failed']);
    const failing = failed(handler('ScopedController.scoped'), 'RpcException: failed');
    await messaging.traces.expect(
      failedRequest(
        'scoped',
        guard('GlobalGuard'),
        scopedGuard,
        {
          ...within('GlobalInterceptor', { ...within('UpperInterceptor', trim, failing), status: 'ERROR' }),
          status: 'ERROR',
        },
        rpcFilter,
      ),
    );
  });

  it('show the pipe of a parameter, and what it throws', async () => {
    await expect(ask('number', { id: '7' })).resolves.toEqual([7]);
    const parameter = { 'nestjs.parameter.name': 'id', 'nestjs.parameter.type': 'body' };
    const pipe = stage('ParseIntPipe', 'pipe', 'transform');
    await messaging.traces.expect(
      request(
        'number',
        guard('GlobalGuard'),
        within(
          'GlobalInterceptor',
          { ...pipe, attributes: { ...pipe.attributes, ...parameter } },
          handler('EchoController.number'),
        ),
      ),
    );
    await ask('number', { id: 'x' });
    await messaging.traces.until((spans) => spans.length === 5);
    expect(recorded()).toEqual(['ParseIntPipe']);
  });

  it('show who has rejected a message, and the filter', async () => {
    await expect(ask('closed')).resolves.toEqual(['closed']);
    await messaging.traces.expect(
      failedRequest('closed', guard('GlobalGuard'), failed(guard('ClosedGuard'), 'RpcException: closed'), rpcFilter),
    );
    await ask('rejected');
    await messaging.traces.until((spans) => spans.length === 5);
    expect(messaging.traces.named('NoGuard').attributes).toMatchObject({ 'nestjs.guard.rejected': true });
    const server = messaging.traces.spans.find(({ kind }) => kind === SpanKind.SERVER);
    expect(server).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'RpcException' } });
    expect(recorded()).toEqual([]);
  });

  it('show the global filter that answers instead of the handler', async () => {
    await expect(ask('far')).resolves.toEqual(['caught too far']);
    await messaging.traces.expect(
      request(
        'far',
        guard('GlobalGuard'),
        {
          ...within('GlobalInterceptor', failed(handler('EchoController.far'), 'RangeError: too far')),
          status: 'ERROR',
        },
        stage('GlobalFilter', 'filter', 'catch'),
      ),
    );
  });

  it('last as long as a stream of answers, and record once how it fails', async () => {
    await expect(ask('many')).resolves.toEqual(['A', 'B', 'enough']);
    await messaging.traces.until((spans) => spans.length === 7);
    expect(messaging.traces.spans.map(({ name }) => name)).toContain('RpcFilter');
    expect(recorded()).toEqual(['EchoController.many']);
  });

  it('are those of each handler of an event', async () => {
    const arrival = untilReceived('told');
    messaging.client.emit('told', ' news ');
    await expect(arrival).resolves.toBe('news');
    await messaging.traces.until((spans) => spans.length === 12);
    const spans = messaging.traces.take();
    const consumer = spans.find(({ kind }) => kind === SpanKind.CONSUMER)?.spanContext().spanId;
    const below = spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === consumer);
    expect(below.map(({ name }) => name).toSorted()).toEqual([
      'GlobalGuard',
      'GlobalGuard',
      'GlobalInterceptor',
      'GlobalInterceptor',
      'ScopedGuard',
    ]);
    expect(spans.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['EchoController.told', 'SecondListener.told', 'TrimPipe', 'UpperInterceptor']),
    );
  });
});
