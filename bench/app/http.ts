import {
  Controller,
  Get,
  Injectable,
  Module,
  Param,
  type INestApplication,
  type NestApplicationOptions,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { BenchOptions, Platform, Running, Setup } from './setup.js';

/** Serves `GET /users/:id` with a handler and a method of a service. All set-ups share this code. */
export async function start({ methods = 1, platform }: BenchOptions, setup: Setup): Promise<Running> {
  const method = setup.method ?? (() => {});

  @Injectable()
  class UsersService {
    @method
    async find(id: string) {
      return { id, name: 'Ada Lovelace', email: 'ada@example.com', roles: ['author', 'editor'] };
    }
  }

  @Controller('users')
  class UsersController {
    constructor(private readonly users: UsersService) {}

    @Get(':id')
    async one(@Param('id') id: string) {
      let user: unknown = { id };
      for (let call = 0; call < methods; call++) user = await this.users.find(id);
      return user;
    }
  }

  @Module({ imports: setup.imports ?? [], controllers: [UsersController], providers: [UsersService] })
  class AppModule {}

  const app = await create(AppModule, platform, setup.applicationOptions);
  await setup.prepare?.(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as { port: number };
  return { port, close: () => app.close() };
}

async function create(module: Type, platform: Platform, more: NestApplicationOptions = {}): Promise<INestApplication> {
  const options: NestApplicationOptions = { logger: ['error', 'warn'], ...more };
  if (platform === 'express') return NestFactory.create(module, options);
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  return NestFactory.create(module, new FastifyAdapter(), options);
}
