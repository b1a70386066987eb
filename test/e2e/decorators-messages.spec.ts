import { EventEmitter, once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Module, UseGuards, type CanActivate, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  Payload,
  Transport,
  type ClientProxy,
  type MicroserviceOptions,
} from '@nestjs/microservices';
import { createServer, type AddressInfo } from 'node:net';
import { SpanKind } from '@opentelemetry/api';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace';
import { Span, SpanAttribute, TracingModule } from 'nestjs-tracing';
import { from, lastValueFrom, toArray, type Observable } from 'rxjs';

const exporter = new InMemorySpanExporter();
const received = new EventEmitter();

class Allow implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Controller()
@UseGuards(Allow)
class MathController {
  @Span()
  @MessagePattern({ cmd: 'sum' })
  sum(@Payload() @SpanAttribute('numbers') numbers: number[]): number {
    return numbers.reduce((sum, number) => sum + number, 0);
  }

  @MessagePattern('sum.async')
  @Span()
  async sumLater(@Payload() numbers: number[]): Promise<number> {
    await Promise.resolve();
    return this.sum(numbers);
  }

  @Span()
  @MessagePattern('each')
  each(@Payload() numbers: number[]): Observable<number> {
    return from(numbers);
  }

  @EventPattern('happened')
  @Span()
  happened(@Payload() what: string): void {
    received.emit('event', what);
  }
}

@Module({ imports: [TracingModule.forRoot({ serviceName: 'math', exporter })], controllers: [MathController] })
class MathModule {}

describe('@Span() on message handlers', () => {
  let app: INestMicroservice;
  let client: ClientProxy;

  beforeAll(async () => {
    const options = { host: '127.0.0.1', port: await freePort() };
    app = await NestFactory.createMicroservice<MicroserviceOptions>(MathModule, {
      transport: Transport.TCP,
      options,
      logger: false,
      abortOnError: false,
    });
    await app.listen();
    client = ClientProxyFactory.create({ transport: Transport.TCP, options });
  });

  afterAll(async () => {
    await client.close();
    await app.close();
  });

  it('leaves the pattern and the payload, above and below', async () => {
    await expect(lastValueFrom(client.send({ cmd: 'sum' }, [1, 2, 3]))).resolves.toBe(6);
    await expect(lastValueFrom(client.send('sum.async', [4, 5]))).resolves.toBe(9);
    expect(methodSpans()).toEqual(['MathController.sum', 'MathController.sum', 'MathController.sumLater']);
    expect(exporter.getFinishedSpans()[0]?.attributes).toMatchObject({ numbers: [1, 2, 3] });
  });

  it('leaves a stream of answers, in one span', async () => {
    exporter.reset();
    await expect(lastValueFrom(client.send('each', [1, 2, 3]).pipe(toArray()))).resolves.toEqual([1, 2, 3]);
    expect(methodSpans()).toEqual(['MathController.each']);
  });

  it('leaves events', async () => {
    const event = once(received, 'event');
    await lastValueFrom(client.emit('happened', 'something'), { defaultValue: undefined });
    await expect(event).resolves.toEqual(['something']);
  });
});

/** The names of the spans of methods. The messages have spans of their own. */
function methodSpans(): string[] {
  return exporter.getFinishedSpans().flatMap(({ kind, name }) => (kind === SpanKind.INTERNAL ? [name] : []));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
