import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  Injectable,
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
import { APP_GUARD } from '@nestjs/core';
import { GrpcMethod, GrpcStreamMethod, RpcException } from '@nestjs/microservices';
import { lastValueFrom, map, of, throwError, toArray, type Observable } from 'rxjs';
import { grpcHosts, startGrpcApp, type GrpcApp, type Message } from '../support/grpc-app.js';
import { failed, handler, rpcServer, type ExpectedSpan } from '../support/trace-tree.js';

@Injectable()
class ClosedGuard implements CanActivate {
  canActivate(): boolean {
    throw new RpcException({ code: 7, message: 'closed' });
  }
}

@Injectable()
class GlobalGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Injectable({ scope: Scope.REQUEST })
class ScopedGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Injectable()
class UpperInterceptor implements NestInterceptor {
  intercept(_execution: ExecutionContext, next: CallHandler<Message>): Observable<Message> {
    return next.handle().pipe(map(({ text }) => ({ text: text!.toUpperCase() })));
  }
}

@Injectable()
class TrimPipe implements PipeTransform {
  transform(value: Message): Message {
    return { ...value, text: value.text?.trim() };
  }
}

@Catch(RpcException)
class RpcFilter implements ExceptionFilter {
  catch(exception: RpcException): Observable<never> {
    return throwError(() => exception.getError());
  }
}

@Controller()
@UseFilters(RpcFilter)
class EchoController {
  @GrpcMethod('Echo', 'Unary')
  @UseGuards(ScopedGuard)
  @UseInterceptors(UpperInterceptor)
  @UsePipes(TrimPipe)
  unary(message: Message): Message {
    return message;
  }

  @GrpcMethod('Echo', 'ServerStream')
  @UseGuards(ClosedGuard)
  serverStream(): Observable<Message> {
    return of({});
  }

  @GrpcStreamMethod('Echo', 'Bidi')
  @UseInterceptors(UpperInterceptor)
  bidi(messages: Observable<Message>): Observable<Message> {
    return messages;
  }
}

function stage(name: string, kind: string, method: string, ...children: ExpectedSpan[]): ExpectedSpan {
  return { name, attributes: { 'nestjs.stage': kind, 'code.function.name': `${name}.${method}` }, children };
}
const guard = (name: string) => stage(name, 'guard', 'canActivate');
const upper = (...children: ExpectedSpan[]) => stage('UpperInterceptor', 'interceptor', 'intercept', ...children);

describe.each(grpcHosts)('the stages of a gRPC call in a %s', (host) => {
  let grpc: GrpcApp;
  /** A microservice that does not inherit the configuration of its application has no global guards. */
  const globals = host === 'hybrid' ? [] : [guard('GlobalGuard')];
  beforeAll(async () => {
    grpc = await startGrpcApp({
      host,
      controllers: [EchoController],
      providers: [{ provide: APP_GUARD, useClass: GlobalGuard }],
      tracing: { nest: { lifecycle: true } },
    });
  });
  afterAll(() => grpc.close());

  it('have spans, with the handler within the interceptor', async () => {
    expect(await lastValueFrom(grpc.plain.unary({ text: ' hi ' }))).toMatchObject({ text: 'HI' });
    await grpc.traces.expect(
      rpcServer(
        'test.Echo/Unary',
        'OK',
        ...globals,
        guard('ScopedGuard'),
        upper(
          // Nest calls a pipe for each parameter: message, metadata, call.
          ...Array.from({ length: 3 }, () => stage('TrimPipe', 'pipe', 'transform')),
          handler('EchoController.unary'),
        ),
      ),
    );
  });

  it('record the exception of a guard once, and show its filter', async () => {
    const answer = lastValueFrom(grpc.plain.serverStream({}));
    await expect(answer).rejects.toThrow('7 PERMISSION_DENIED: closed');
    await grpc.traces.expect(
      rpcServer(
        'test.Echo/ServerStream',
        { code: 'PERMISSION_DENIED', attributes: {} },
        ...globals,
        failed(guard('ClosedGuard'), 'RpcException: closed'),
        stage('RpcFilter', 'filter', 'catch'),
      ),
    );
  });

  it('have the whole stream within the interceptor', async () => {
    const answers = await lastValueFrom(grpc.plain.bidi(of({ text: 'a' }, { text: 'b' })).pipe(toArray()));
    expect(answers.map(({ text }) => text)).toEqual(['A', 'B']);
    await grpc.traces.expect(rpcServer('test.Echo/Bidi', 'OK', ...globals, upper(handler('EchoController.bidi'))));
  });
});
