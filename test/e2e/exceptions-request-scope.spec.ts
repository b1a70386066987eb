/** Exceptions where Nest reads the filters for each request or message: in controllers of request scope, and with such filters. */
import { describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  Get,
  Injectable,
  Module,
  Scope,
  UseFilters,
  UseGuards,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type Provider,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import {
  ClientsModule,
  MessagePattern,
  Transport,
  type ClientProxy,
  type TcpClientOptions,
  type TcpOptions,
} from '@nestjs/microservices';
import { SpanKind } from '@opentelemetry/api';
import { TracingModule } from 'nestjs-tracing';
import { catchError, firstValueFrom, of, throwError, type Observable } from 'rxjs';
import { freePort } from '../support/free-port.js';
import { httpPlatforms, withHttpApp } from '../support/http-app.js';
import { TraceRecorder } from '../support/trace-recorder.js';

@Injectable()
class BrokenGuard implements CanActivate {
  canActivate(): boolean {
    throw new Error('guard broke');
  }
}

interface HttpResponse {
  status?(code: number): { send(body: string): void };
  code?(code: number): { send(body: string): void };
}

const answer = (exception: Error, host: ArgumentsHost): void => {
  const response = host.switchToHttp().getResponse<HttpResponse>();
  (response.code?.(418) ?? response.status?.(418))?.send(exception.message);
};

@Catch(Error)
class AnsweringFilter implements ExceptionFilter<Error> {
  catch(exception: Error, host: ArgumentsHost): void {
    answer(exception, host);
  }
}

@Injectable({ scope: Scope.REQUEST })
@Catch(Error)
class ScopedFilter implements ExceptionFilter<Error> {
  catch(exception: Error, host: ArgumentsHost): void {
    answer(exception, host);
  }
}

@Controller({ scope: Scope.REQUEST })
@UseFilters(AnsweringFilter)
class ScopedController {
  @Get()
  @UseGuards(BrokenGuard)
  get(): void {}
}

@Controller()
class FilteredController {
  @Get()
  @UseFilters(ScopedFilter)
  @UseGuards(BrokenGuard)
  get(): void {}
}

@Controller()
class PlainController {
  @Get()
  @UseGuards(BrokenGuard)
  get(): void {}
}

const CASES: [string, Type, Provider[]][] = [
  ['of a controller of request scope', ScopedController, []],
  ['by a filter of request scope', FilteredController, []],
  ['by a global filter of request scope', PlainController, [{ provide: APP_FILTER, useClass: ScopedFilter }]],
];

describe.each(httpPlatforms)('an exception on %s', (platform) => {
  it.each(CASES)('that is handled %s is recorded once for each request', async (_name, controller, providers) => {
    for (const lifecycle of [false, true]) {
      const tracing = { nest: { lifecycle } };
      await withHttpApp(platform, { controllers: [controller], providers, tracing }, async (app) => {
        for (const number of [1, 2]) {
          const response = await fetch(app.url);
          expect([number, response.status, await response.text()]).toEqual([number, 418, 'guard broke']);
          await app.traces.until((spans) => spans.some(({ kind }) => kind === SpanKind.SERVER));
          const recorded = app.traces.take().flatMap(({ name, events }) => events.map(() => name));
          expect(recorded).toEqual([lifecycle ? 'BrokenGuard' : 'GET /']);
        }
      });
    }
  });
});

it.each([true, false])('leaves the filters as they are, with spans of the stages: %s', async (lifecycle) => {
  const before = Object.getOwnPropertyDescriptors(AnsweringFilter.prototype);
  let filter: object | undefined;
  const tracing = { nest: { lifecycle } };
  await withHttpApp('Express', { controllers: [ScopedController], tracing }, async ({ app, url }) => {
    filter = app.get<object>(AnsweringFilter, { strict: false });
    for (const status of [418, 418]) {
      expect((await fetch(url)).status).toBe(status);
      expect(Object.keys(filter)).toEqual([]);
      // A method with a span of its own is in front of the filter's, if stages have spans.
      if (!lifecycle) expect(Object.getOwnPropertyNames(filter)).toEqual([]);
    }
  });
  expect(Object.getOwnPropertyNames(filter)).toEqual([]);
  expect(Object.getOwnPropertyDescriptors(AnsweringFilter.prototype)).toEqual(before);
});

@Catch(Error)
class RpcFilter implements ExceptionFilter<Error> {
  catch(exception: Error): Observable<never> {
    return throwError(() => ({ message: exception.message }));
  }
}

@Controller({ scope: Scope.REQUEST })
class StockController {
  @MessagePattern('guarded')
  @UseGuards(BrokenGuard)
  guarded(): void {}

  @MessagePattern('filtered')
  @UseGuards(BrokenGuard)
  @UseFilters(RpcFilter)
  filtered(): void {}
}

it.each([true, false])(
  'is recorded over a connected transport, with inheritAppConfig: %s',
  async (inheritAppConfig) => {
    const traces = new TraceRecorder();
    const transport = { transport: Transport.TCP, options: { host: '127.0.0.1', port: await freePort() } };
    @Module({
      imports: [
        TracingModule.forRoot({ exporter: traces, spanProcessors: [traces] }),
        ClientsModule.register([{ ...(transport as TcpClientOptions), name: 'CLIENT' }]),
      ],
      controllers: [StockController],
    })
    class HybridModule {}
    const app = await NestFactory.create(HybridModule, { logger: false });
    app.connectMicroservice(transport as TcpOptions, { inheritAppConfig });
    await app.startAllMicroservices();
    await app.init();
    const client = app.get<ClientProxy>('CLIENT');
    for (const pattern of ['guarded', 'filtered', 'guarded']) {
      await firstValueFrom(client.send(pattern, {}).pipe(catchError((error: unknown) => of(error))));
      await traces.until((spans) => spans.length === 2);
      const span = traces.take().find(({ kind }) => kind === SpanKind.SERVER);
      expect(span).toMatchObject({ name: pattern, status: { code: 2 }, attributes: { 'error.type': 'Error' } });
      expect(span?.events.map(({ attributes }) => attributes?.['exception.message'])).toEqual(['guard broke']);
    }
    await client.close();
    await app.close();
    expect(Reflect.getMetadataKeys(StockController)).not.toContain('__exceptionFilters__');
  },
);
