import type { INestApplicationContext, LoggerService, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MicroserviceOptions, Transport } from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';

/** A logger for Nest that collects warnings and writes nothing. */
export class Warnings implements LoggerService {
  readonly messages: string[] = [];
  log(): void {}
  error(): void {}
  warn(message: string): void {
    this.messages.push(message);
  }
  /** Returns the warnings since the last call. */
  take(): string[] {
    return this.messages.splice(0);
  }
}

const quiet = { logger: false, abortOnError: false } as const;

/** The ways to create an application from a module, until it is ready for work. */
export const platforms: readonly (readonly [string, (module: Type) => Promise<INestApplicationContext>])[] = [
  [
    'NestFactory.create() on Express',
    async (module) => NestFactory.create(module, new ExpressAdapter(), quiet).then(listen),
  ],
  [
    'NestFactory.create() on Fastify',
    async (module) => NestFactory.create(module, new FastifyAdapter(), quiet).then(listen),
  ],
  ['createApplicationContext()', (module) => NestFactory.createApplicationContext(module, quiet)],
  [
    'createMicroservice() over TCP',
    async (module) => {
      const options: MicroserviceOptions = { transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } };
      const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, { ...options, ...quiet });
      await app.listen();
      return app;
    },
  ],
  [
    'Test.createTestingModule()',
    async (module) => {
      const app = (await Test.createTestingModule({ imports: [module] }).compile()).createNestApplication();
      return app.init();
    },
  ],
];

async function listen<T extends INestApplicationContext & { listen(port: number, host: string): Promise<unknown> }>(
  app: T,
): Promise<T> {
  await app.listen(0, '127.0.0.1');
  return app;
}

/** An application without a server. Rejects when it cannot start, instead of ending the process. */
export function startContext(module: Type, logger: LoggerService | false = false): Promise<INestApplicationContext> {
  return NestFactory.createApplicationContext(module, { logger, abortOnError: false });
}
