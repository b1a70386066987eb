/** The applications that transports belong to: hybrid ones, and one with several transports. */
import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Module, UseInterceptors, type Type } from '@nestjs/common';
import { APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import {
  ClientsModule,
  MessagePattern,
  RpcException,
  Transport,
  type ClientProxy,
  type TcpClientOptions,
  type TcpOptions,
} from '@nestjs/microservices';
import { TracingModule } from 'nestjs-tracing';
import { map, type Observable } from 'rxjs';
import { freePort } from '../support/free-port.js';
import { TraceRecorder } from '../support/trace-recorder.js';
import { handler, server, type ExpectedSpan } from '../support/trace-tree.js';

class PassingInterceptor {
  intercept(_context: unknown, next: { handle(): Observable<unknown> }): Observable<unknown> {
    return next.handle().pipe(map((value) => value));
  }
}

@Controller()
class StockController {
  @UseInterceptors(PassingInterceptor)
  @MessagePattern('count')
  count(): number {
    return 3;
  }

  @MessagePattern('refuse')
  refuse(): never {
    throw new RpcException('no');
  }
}

@Controller()
class WebController {
  constructor(
    @Inject('FIRST') private readonly first: ClientProxy,
    @Inject('SECOND') private readonly second: ClientProxy,
  ) {}

  @Get('first')
  askFirst(): Observable<unknown> {
    return this.first.send('count', {});
  }

  @Get('second')
  askSecond(): Observable<unknown> {
    return this.second.send('count', {});
  }

  @Get('refused')
  refused(): Observable<unknown> {
    return this.first.send('refuse', {});
  }
}

const request = (pattern: string, port: number, handlerSpan: ExpectedSpan): ExpectedSpan => ({
  name: pattern,
  kind: 'CLIENT',
  attributes: { 'server.port': port },
  children: [{ name: pattern, kind: 'SERVER', children: [handlerSpan] }],
});

describe.each([true, false])('a hybrid application with inheritAppConfig: %s', (inheritAppConfig) => {
  it('has one tree for a request over HTTP and over each of its transports', async () => {
    const traces = new TraceRecorder();
    const ports = [await freePort(), await freePort()] as const;
    const transports = ports.map((port) => ({ transport: Transport.TCP, options: { host: '127.0.0.1', port } }));
    const [first, second] = transports as [TcpClientOptions, TcpClientOptions];
    @Module({
      imports: [
        // The requests of this test are not part of the application.
        TracingModule.forRoot({ exporter: traces, spanProcessors: [traces], http: { client: false } }),
        ClientsModule.register([
          { ...first, name: 'FIRST' },
          { ...second, name: 'SECOND' },
        ]),
      ],
      controllers: [StockController, WebController],
      providers: [{ provide: APP_INTERCEPTOR, useClass: PassingInterceptor as Type }],
    })
    class HybridModule {}
    const app = await NestFactory.create(HybridModule, { logger: false });
    for (const transport of transports) app.connectMicroservice(transport as TcpOptions, { inheritAppConfig });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    for (const [path, port] of [
      ['first', ports[0]],
      ['second', ports[1]],
    ] as const) {
      await expect((await fetch(`${url}/${path}`)).text()).resolves.toBe('3');
      const name = `WebController.ask${path[0]?.toUpperCase()}${path.slice(1)}`;
      await traces.expect(
        server(`GET /${path}`, 200, {
          ...handler(name),
          children: [request('count', port, handler('StockController.count'))],
        }),
      );
    }
    expect((await fetch(`${url}/refused`)).status).toBe(500);
    await traces.until((all) => all.length === 5);
    const recorded = traces.spans.filter((span) => span.events.length > 0);
    expect(recorded.map((span) => span.name)).toContain('StockController.refuse');
    expect(traces.named('StockController.refuse').events).toHaveLength(1);
    expect(traces.open).toEqual([]);
    await app.close();
  });
});
