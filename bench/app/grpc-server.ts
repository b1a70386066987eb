import { Controller, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod, Transport, type MicroserviceOptions } from '@nestjs/microservices';
import { from } from 'rxjs';
import { freePort } from './free-port.js';
import type { BenchOptions, Running, Setup } from './setup.js';

/** Serves `bench.Users`, with a unary call and a stream of ten messages. */
export async function start({ protoPath }: BenchOptions, setup: Setup): Promise<Running> {
  @Injectable()
  class UsersService {
    async find(id: string) {
      return { id, name: 'Ada Lovelace', email: 'ada@example.com', roles: ['author', 'editor'] };
    }

    list(id: string) {
      const user = { id, name: 'Ada Lovelace', email: 'ada@example.com', roles: ['author', 'editor'] };
      return from(Array.from({ length: 10 }, () => user));
    }
  }

  @Controller()
  class UsersController {
    constructor(private readonly users: UsersService) {}

    @GrpcMethod('Users', 'One')
    async one({ id }: { id: string }) {
      return this.users.find(id);
    }

    @GrpcMethod('Users', 'List')
    list({ id }: { id: string }) {
      return this.users.list(id);
    }
  }

  @Module({ imports: setup.imports ?? [], controllers: [UsersController], providers: [UsersService] })
  class AppModule {}

  const port = await freePort();
  const { serverInterceptors: interceptors } = setup;
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(AppModule, {
    logger: ['error', 'warn'],
    transport: Transport.GRPC,
    options: {
      package: 'bench',
      protoPath: protoPath ?? '',
      url: `127.0.0.1:${port}`,
      ...(interceptors && { channelOptions: { interceptors } as object }),
    },
  });
  await setup.prepare?.(app);
  await app.listen();
  return { port, close: () => app.close() };
}
