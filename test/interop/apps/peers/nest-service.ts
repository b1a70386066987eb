/** The same service with Nest and nestjs-tracing. The tracing options are in the variable TRACING. */
import 'reflect-metadata';
import { HttpModule, HttpService } from '@nestjs/axios';
import { Controller, Get, Inject, Module, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientsModule,
  GrpcMethod,
  Transport,
  type ClientGrpc,
  type GrpcOptions,
  type MicroserviceOptions,
} from '@nestjs/microservices';
import { TracingModule, type TracingOptions } from 'nestjs-tracing';
import { firstValueFrom, from, lastValueFrom, mergeMap, type Observable } from 'rxjs';
import { relay, relayUrl, settings, type Seen, type Senders } from './relay.js';

interface Message {
  text: string;
}

interface Echo {
  unary(message: Message): Observable<Message>;
  serverStream(message: Message): Observable<Message>;
}

const echoGrpc = (url: string): GrpcOptions => ({
  transport: Transport.GRPC,
  options: { package: 'test', protoPath: settings.proto, url },
});

@Controller()
class RelayController {
  private readonly senders: Senders;

  constructor(@Inject('ECHO') client: ClientGrpc, http: HttpService) {
    const echo = client.getService<Echo>('Echo');
    const seenIn = ({ text }: Message) => JSON.parse(text) as Seen[];
    this.senders = {
      fetch: async (hops) => (await fetch(relayUrl(hops))).json() as Promise<Seen[]>,
      'node:http': async (hops) => (await http.axiosRef.get<Seen[]>(relayUrl(hops))).data,
      unary: async (text) => seenIn(await firstValueFrom(echo.unary({ text }))),
      'server stream': async (text) => seenIn(await lastValueFrom(echo.serverStream({ text }))),
    };
  }

  @Get('relay')
  relay(@Query('hops') hops: string): Promise<Seen[]> {
    return relay(hops, this.senders);
  }

  @GrpcMethod('Echo', 'Unary')
  async unary({ text }: Message): Promise<Message> {
    return { text: JSON.stringify(await relay(text, this.senders)) };
  }

  @GrpcMethod('Echo', 'ServerStream')
  serverStream({ text }: Message): Observable<Message> {
    const answers = (seen: Seen[]) => [{ text: '[]' }, { text: '[]' }, { text: JSON.stringify(seen) }];
    return from(relay(text, this.senders)).pipe(mergeMap(answers));
  }
}

@Module({
  imports: [
    TracingModule.forRoot(JSON.parse(process.env.TRACING ?? '{}') as TracingOptions),
    ClientsModule.register([{ name: 'ECHO', ...echoGrpc(settings.nextGrpcAddress) }]),
    HttpModule,
  ],
  controllers: [RelayController],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['warn', 'error'] });
app.connectMicroservice<MicroserviceOptions>(echoGrpc(settings.grpcAddress));
app.enableShutdownHooks();
await app.startAllMicroservices();
await app.listen(settings.port, '127.0.0.1');
process.stdout.write('listening\n');
