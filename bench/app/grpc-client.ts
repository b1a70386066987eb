import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientsModule, Transport, type ClientGrpc } from '@nestjs/microservices';
import { lastValueFrom, type Observable } from 'rxjs';
import type { BenchOptions, Running, Setup, WorkOrder } from './setup.js';

interface Users {
  one(message: { id: string }): Observable<unknown>;
  list(message: { id: string }): Observable<unknown>;
}

/** Calls `bench.Users` on a server of another process, as often as the server responds. */
export async function start({ protoPath, target }: BenchOptions, setup: Setup): Promise<Running> {
  const { clientInterceptors: interceptors } = setup;
  const options = {
    package: 'bench',
    protoPath: protoPath ?? '',
    url: target ?? '',
    ...(interceptors && { channelOptions: { interceptors } as object }),
  };

  @Module({
    imports: [
      ...(setup.imports ?? []),
      ClientsModule.register([{ name: 'USERS', transport: Transport.GRPC, options }]),
    ],
  })
  class AppModule {}

  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  await setup.prepare?.(app);
  await app.init();
  const users = app.get<ClientGrpc>('USERS').getService<Users>('Users');

  async function work({ concurrency, kind, milliseconds }: WorkOrder) {
    const counts = { requests: 0, failed: 0 };
    const deadline = performance.now() + milliseconds;
    const call = kind === 'stream' ? () => users.list({ id: '42' }) : () => users.one({ id: '42' });
    const loop = async () => {
      while (performance.now() < deadline) {
        try {
          await lastValueFrom(call());
        } catch {
          counts.failed++;
        }
        counts.requests++;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, loop));
    return counts;
  }

  return { work, close: () => app.close() };
}
