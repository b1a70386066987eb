/** An application with a gateway and a resolver. It checks its own traces, and fails if they are not as expected. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Module, UseGuards, type CanActivate } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Field, GraphQLModule, Int, ObjectType, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { Span, TracingModule } from 'nestjs-tracing';
import { io } from 'socket.io-client';

const exporter = new InMemorySpanExporter();

@Injectable()
class UsersService {
  @Span()
  async find(id: number): Promise<{ id: number }> {
    return { id };
  }
}

@Injectable()
class Closed implements CanActivate {
  canActivate(): boolean {
    throw new WsException('closed');
  }
}

@WebSocketGateway({ namespace: 'users' })
class UsersGateway {
  constructor(private readonly users: UsersService) {}

  async handleConnection(): Promise<void> {
    await this.users.find(0);
  }

  handleDisconnect(): void {}

  @SubscribeMessage('find')
  find(@MessageBody() id: number): Promise<{ id: number }> {
    return this.users.find(id);
  }

  @SubscribeMessage('fail')
  fail(): never {
    throw new TypeError('broken');
  }

  @SubscribeMessage('closed')
  @UseGuards(Closed)
  closed(): void {}
}

@ObjectType()
class User {
  @Field(() => Int)
  id!: number;
}

@Resolver(() => User)
class UsersResolver {
  constructor(private readonly users: UsersService) {}

  @Query(() => User)
  user(): Promise<User> {
    return this.users.find(1);
  }

  @Query(() => Int)
  broken(): number {
    throw new TypeError('broken');
  }

  @ResolveField(() => String)
  name(@Parent() { id }: User): string {
    return `user ${id}`;
  }
}

@Module({
  imports: [
    TracingModule.forRoot({ serviceName: 'users', exporter, http: { client: false }, graphql: { resolvers: true } }),
    GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true, playground: false }),
  ],
  providers: [UsersService, UsersGateway, UsersResolver, Closed],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  const socket = io(`${url}/users`, { reconnection: false });
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  await expectTrace('/users connect', ['UsersService.find < /users connect']);
  assert.deepEqual(await socket.emitWithAck('find', 7), { id: 7 });
  await expectTrace('/users find', ['UsersService.find < UsersGateway.find', 'UsersGateway.find < /users find']);
  socket.emit('fail');
  const failed = await expectTrace('/users fail', ['UsersGateway.fail < /users fail'], SpanStatusCode.ERROR);
  assert.equal(failed.attributes['error.type'], 'TypeError');
  socket.emit('closed');
  const closed = await expectTrace('/users closed', []);
  assert.equal(closed.events[0]?.attributes?.['exception.message'], 'closed');
  socket.close();
  await expectTrace('/users disconnect', []);

  await query(`${url}/graphql`, 'query FindUser { user { id name } }');
  await expectTrace('query FindUser', [
    'UsersService.find < UsersResolver.user',
    'UsersResolver.user < Query.user',
    'Query.user < query FindUser',
    'User.name < query FindUser',
  ]);
  await query(`${url}/graphql`, 'query Broken { broken }');
  const broken = ['UsersResolver.broken < Query.broken', 'Query.broken < query Broken'];
  await expectTrace('query Broken', broken, SpanStatusCode.ERROR);
  await app.close();
}

async function query(url: string, text: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  await (await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query: text }) })).text();
}

/** Waits for the root span, and compares the spans below it. The polling of Socket.IO and its upgrade have no spans. */
async function expectTrace(
  root: string,
  below: readonly string[],
  status: SpanStatusCode = SpanStatusCode.UNSET,
): Promise<ReadableSpan> {
  const deadline = Date.now() + 5000;
  const find = () => exporter.getFinishedSpans().find(({ name }) => name === root);
  while (!find() && Date.now() < deadline) await sleep(5);
  const spans = exporter.getFinishedSpans();
  const span = find();
  const names = new Map(spans.map((it) => [it.spanContext().spanId, it.name]));
  const edges = spans
    .filter((it) => it !== span)
    .map((it) => `${it.name} < ${names.get(it.parentSpanContext?.spanId ?? '')}`);
  assert.ok(span, `${root} is missing among ${[...names.values()].join(', ')}`);
  assert.deepEqual(edges, below);
  assert.equal(span.parentSpanContext, undefined);
  assert.equal(span.status.code, status);
  exporter.reset();
  return span;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
