import { EventEmitter, once } from 'node:events';
import {
  Catch,
  Controller,
  Inject,
  Injectable,
  Module,
  Scope,
  UseFilters,
  UseGuards,
  type CanActivate,
  type ExceptionFilter,
  type INestMicroservice,
  type Provider,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientsModule,
  Ctx,
  EventPattern,
  MessagePattern,
  Payload,
  RpcException,
  type ClientProxy,
  type MicroserviceOptions,
  type TcpClientOptions,
  type TcpOptions,
  type Transport,
} from '@nestjs/microservices';
import { context, propagation, trace } from '@opentelemetry/api';
import { Span, TracingModule, type TracingOptions } from 'nestjs-tracing';
import { concat, EMPTY, from, ignoreElements, of, throwError, type Observable } from 'rxjs';
import { TraceRecorder } from './trace-recorder.js';

/** Emits what the handlers below have received, by the name of the event. */
export const received = new EventEmitter();

/** Waits until a handler of an event has reported. */
export async function untilReceived(what: string): Promise<unknown> {
  const [value] = (await once(received, what)) as unknown[];
  return value;
}

class RefusingGuard implements CanActivate {
  canActivate(): boolean {
    throw new RpcException('not allowed');
  }
}

@Catch()
class AnsweringFilter implements ExceptionFilter {
  catch(exception: Error): Observable<unknown> {
    return of({ handled: exception.message });
  }
}

@Injectable()
export class StockService {
  @Span()
  async reserve(item: string): Promise<string> {
    await Promise.resolve();
    return `reserved ${item}`;
  }
}

const tenantOfSender = () => propagation.getActiveBaggage()?.getEntry('tenant')?.value ?? 'unknown';

const lostMessages = new Set<string>();

@Controller()
export class StockController {
  constructor(@Inject(StockService) private readonly stock: StockService) {}

  @MessagePattern('stock.reserve')
  reserve(@Payload() { item }: { item: string }): Promise<string> {
    return this.stock.reserve(item);
  }

  /** Two patterns: the tests of all transports trust the senders of one of them. */
  @MessagePattern('stock.trusts')
  trusts(): string {
    return tenantOfSender();
  }

  @MessagePattern('stock.doubts')
  doubts(): string {
    return tenantOfSender();
  }

  @MessagePattern('stock.each')
  each(@Payload() items: string[]): Observable<string> {
    return of(...items);
  }

  @MessagePattern('stock.nothing')
  nothing(): Observable<string> {
    return EMPTY;
  }

  /** Answers nothing until it is told to end. */
  @MessagePattern('stock.never')
  never(): Observable<unknown> {
    // It listens at once: Nest subscribes to the result later.
    return from(untilReceived('end stock.never')).pipe(ignoreElements());
  }

  @MessagePattern('stock.breaks')
  breaks(): never {
    throw new Error('broke');
  }

  @MessagePattern('stock.refuses')
  async refuses(): Promise<never> {
    await Promise.resolve();
    throw new RpcException({ code: 'SOLD_OUT', message: 'sold out' });
  }

  @MessagePattern('stock.failsAfterOne')
  failsAfterOne(): Observable<string> {
    return concat(
      of('one'),
      throwError(() => new RpcException('gone')),
    );
  }

  @UseGuards(RefusingGuard)
  @MessagePattern('stock.guarded')
  guarded(): string {
    return 'never reached';
  }

  @UseFilters(AnsweringFilter)
  @MessagePattern('stock.filtered')
  filtered(): never {
    throw new Error('filtered');
  }

  @EventPattern('stock.changed')
  changed(@Payload() data: unknown): void {
    received.emit('stock.changed', { data, traceId: trace.getSpanContext(context.active())?.traceId });
  }

  /** Fails when it gets a message for the first time: Kafka delivers it again. */
  @EventPattern('stock.lost')
  async lost(@Payload() { id }: { id: string }): Promise<void> {
    await Promise.resolve();
    const isFirst = !lostMessages.has(id);
    lostMessages.add(id);
    received.emit('stock.lost', id);
    if (isFirst) throw new Error('lost');
  }
}

/** Has a handler of the same event as the controller below. */
@Controller()
export class StockCounter {
  @EventPattern('stock.counted')
  counted(@Payload() data: unknown): void {
    received.emit('counted', data);
  }
}

@Controller()
export class StockAuditor {
  @EventPattern('stock.counted')
  async audited(@Payload() data: unknown): Promise<void> {
    await Promise.resolve();
    received.emit('stock.counted', data);
  }
}

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);

/** Has a pattern that is an object. */
@Controller()
export class SumController {
  @MessagePattern({ cmd: 'sum' })
  sum(@Payload() numbers: number[]): number {
    return sumOf(numbers);
  }
}

/** Is used instead for transports that allow only text. */
@Controller()
export class TextSumController {
  @MessagePattern('stock.sum')
  sum(@Payload() numbers: number[]): number {
    return sumOf(numbers);
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestState {
  readonly id = Math.random();
}

@Controller({ scope: Scope.REQUEST })
export class ScopedController {
  constructor(@Inject(RequestState) readonly state: RequestState) {}

  @MessagePattern('scoped.ask')
  ask(@Payload() text: string): string {
    return `asked ${text}`;
  }

  @EventPattern('scoped.told')
  told(@Payload() data: unknown): void {
    received.emit('scoped.told', data);
  }
}

/** A transport, with options that fit its server and its client. */
export interface TransportOptions {
  readonly transport: Transport;
  readonly options: object;
}

export interface MessagingAppOptions {
  readonly tracing?: TracingOptions;
  /** @default those of the tests that hold for every transport */
  readonly controllers?: readonly Type[];
  readonly providers?: readonly Provider[];
  /** @default those of the server */
  readonly clientOptions?: TransportOptions;
  /** Called before the client connects. */
  readonly prepareClient?: ((client: ClientProxy) => void) | undefined;
}

export interface MessagingApp {
  readonly traces: TraceRecorder;
  /** A client in the dependency injection of the application. */
  readonly client: ClientProxy;
  readonly app: INestMicroservice;
  close(): Promise<void>;
}

/** Returns a controller that handles an event, and emits `heard` with the data and the context of each. */
export function listenerTo(pattern: string | RegExp, extras: Record<string, unknown> = {}): Type {
  @Controller()
  class Listener {
    @EventPattern(pattern, extras)
    hear(@Payload() data: unknown, @Ctx() rpcContext: unknown): void {
      received.emit('heard', { data, rpcContext });
    }
  }
  return Listener;
}

/** Returns a controller that answers a request with the text of its data. */
export function answererOf(pattern: string): Type {
  @Controller()
  class Answerer {
    @MessagePattern(pattern)
    answer(@Payload() data: unknown): string {
      return JSON.stringify(data);
    }
  }
  return Answerer;
}

export interface Heard<Context = unknown> {
  readonly data: unknown;
  readonly rpcContext: Context;
}

/** Runs a test with an application, and closes that at its end. */
export async function withMessagingApp(
  transport: TransportOptions,
  options: MessagingAppOptions,
  test: (messaging: MessagingApp) => Promise<void>,
): Promise<void> {
  const messaging = await startMessagingApp(transport, options);
  try {
    await test(messaging);
  } finally {
    await messaging.close();
  }
}

/** The token of the client. */
export const CLIENT = 'CLIENT';

/** Starts an application with the handlers above that also has a client of itself. */
export async function startMessagingApp(
  transport: TransportOptions,
  {
    tracing,
    controllers = [StockController, ScopedController, SumController],
    providers = [],
    clientOptions = transport,
    prepareClient,
  }: MessagingAppOptions = {},
): Promise<MessagingApp> {
  const traces = new TraceRecorder();

  @Module({
    imports: [
      TracingModule.forRoot({ serviceName: 'stock', exporter: traces, spanProcessors: [traces], ...tracing }),
      ClientsModule.register([{ ...(clientOptions as TcpClientOptions), name: CLIENT }]),
    ],
    providers: [StockService, RequestState, ...providers],
    controllers: [...controllers],
  })
  class StockModule {}

  const app = await NestFactory.createMicroservice<MicroserviceOptions>(StockModule, {
    ...(transport as TcpOptions),
    logger: false,
    abortOnError: false,
  });
  await app.listen();
  const client = app.get<ClientProxy>(CLIENT);
  prepareClient?.(client);
  await client.connect();
  return {
    traces,
    client,
    app,
    async close() {
      await client.close();
      await app.close();
    },
  };
}
