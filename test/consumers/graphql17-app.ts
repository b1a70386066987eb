/**
 * Applications with graphql 17, by Nest's drivers, by one of their own, and by calls of the application. They check their own traces, and
 * fail if they are not as expected.
 */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Body, Controller, Get, Injectable, Module, Post, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ApolloDriver } from '@nestjs/apollo';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  AbstractGraphQLDriver,
  Field,
  GraphQLModule,
  Int,
  ObjectType,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { buildSchema, graphql, parse, subscribe, version, type GraphQLSchema } from 'graphql';
import { Span, TracingModule, TracingService, type TracingOptions } from 'nestjs-tracing';

const KINDS = ['INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const SECRET = 'hunter2';

class SharedExporter extends InMemorySpanExporter {
  override shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

const exporter = new SharedExporter();

@ObjectType()
class User {
  @Field(() => Int)
  id!: number;
}

@Injectable()
class UsersService {
  @Span()
  async all(): Promise<User[]> {
    return [{ id: 1 }];
  }
}

async function* numbers(): AsyncGenerator<{ numbers: number }> {
  yield { numbers: 1 };
  yield { numbers: 2 };
}

@Resolver(() => User)
class UsersResolver {
  constructor(private readonly users: UsersService) {}

  @Query(() => [User])
  all(): Promise<User[]> {
    return this.users.all();
  }

  @ResolveField(() => String, { nullable: true })
  async nickname(): Promise<string> {
    throw new TypeError('no nickname');
  }

  @Subscription(() => Int)
  numbers(): AsyncGenerator<{ numbers: number }> {
    return numbers();
  }
}

/** A schema of the application's own, which Nest does not know. */
const own = buildSchema('type Query { greet(name: String): String, fail: String } type Subscription { numbers: Int }');

const withResolver = buildSchema('type Query { greet(name: String): String }');
withResolver.getQueryType()!.getFields()['greet']!.resolve = (): string => 'hello';

@Injectable()
class GreetingService {
  @Span()
  async greet({ name }: { name?: string }): Promise<string> {
    return `hello ${name ?? ''}`;
  }
}

@Controller()
class OwnController {
  constructor(private readonly greetings: GreetingService) {}

  @Post('own')
  run(@Body() { query }: { query: string }): Promise<unknown> {
    return graphql({ schema: own, source: query, rootValue: this.root });
  }

  @Get('report')
  async report(): Promise<unknown> {
    return graphql({ schema: own, source: `query Report { greet(name: "${SECRET}") fail }`, rootValue: this.root });
  }

  private get root(): object {
    return {
      greet: (args: object) => this.greetings.greet(args),
      fail: () => {
        throw new RangeError('out of range');
      },
    };
  }
}

/** A driver that serves requests by `graphql()`. */
class PlainDriver extends AbstractGraphQLDriver {
  async start({ schema }: { schema?: GraphQLSchema }): Promise<void> {
    const app = this.httpAdapterHost.httpAdapter;
    app.use('/graphql', (request: IncomingMessage & { body: { query: string } }, response: ServerResponse) => {
      const source = request.body.query;
      void graphql({ schema: schema as GraphQLSchema, source, contextValue: { req: request } }).then((result) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(result));
      });
    });
  }

  async stop(): Promise<void> {}
}

interface Running {
  readonly get: <T>(type: Type<T>) => T;
  /** Sends a request, and returns the trees of the spans that it leaves. */
  trees(path: string, body?: object): Promise<string[]>;
  close(): Promise<void>;
}

async function start(driver: Type | undefined, tracing: TracingOptions = {}, isFastify = false): Promise<Running> {
  const imports: DynamicModule[] = [
    TracingModule.forRoot({ serviceName: 'graphql17', http: { client: false }, exporter, ...tracing }),
  ];
  if (driver) imports.push(GraphQLModule.forRoot({ driver, autoSchemaFile: true, graphiql: false } as never));

  @Module({ imports, controllers: [OwnController], providers: [UsersService, UsersResolver, GreetingService] })
  class AppModule {}

  const options = { logger: ['error', 'warn'] } as { logger: ['error', 'warn'] };
  const app = isFastify
    ? await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter() as never, options)
    : await NestFactory.create(AppModule, options);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return {
    get: (type) => app.get(type, { strict: false }),
    async trees(path, body) {
      await app.get(TracingService).flush();
      exporter.reset();
      const headers = { 'content-type': 'application/json' };
      await (await fetch(url + path, body && { method: 'POST', headers, body: JSON.stringify(body) })).text();
      return finishedTrees(app.get(TracingService));
    },
    close: () => app.close(),
  };
}

async function finishedTrees(tracing: TracingService): Promise<string[]> {
  const deadline = Date.now() + 5000;
  for (;;) {
    await tracing.flush();
    const spans = exporter.getFinishedSpans();
    const isWhole = spans.length > 0 && spans.every((span) => isRoot(span) || parentOf(span, spans));
    if (isWhole) {
      assert.ok(
        !JSON.stringify(spans.map(({ attributes, events, name }) => [attributes, events, name])).includes(SECRET),
      );
      return spans.filter(isRoot).map((span) => treeOf(span, spans));
    }
    assert.ok(Date.now() < deadline, 'The spans have not arrived.');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const isRoot = (span: ReadableSpan): boolean => span.parentSpanContext === undefined;
const parentOf = (span: ReadableSpan, spans: ReadableSpan[]): ReadableSpan | undefined =>
  spans.find((each) => each.spanContext().spanId === span.parentSpanContext?.spanId);

function treeOf(span: ReadableSpan, spans: ReadableSpan[]): string {
  const { attributes, events, kind, links, name, status } = span;
  const shown = [
    `${name} ${KINDS[kind]}`,
    attributes['graphql.operation.type'],
    attributes['graphql.operation.name'],
    attributes['graphql.field.path'],
    ...((attributes['graphql.error.codes'] as string[] | undefined) ?? []),
    ...events.map((event) => `!${String(event.attributes?.['exception.message'])}`),
    ...links.map(() => 'link'),
    status.code === 2 ? 'ERROR' : undefined,
  ];
  const children = spans.filter((each) => parentOf(each, spans) === span).map((child) => treeOf(child, spans));
  return `${shown.filter(Boolean).join(' ')}${children.length > 0 ? ` [${children.join(', ')}]` : ''}`;
}

async function main(): Promise<void> {
  assert.equal(version.split('.')[0], '17');
  const handler = 'UsersResolver.all INTERNAL [UsersService.all INTERNAL]';
  const drivers: readonly [Type, boolean][] = [
    [ApolloDriver, false],
    [ApolloDriver, true],
    [PlainDriver, false],
  ];
  for (const [driver, isFastify] of drivers) {
    const app = await start(driver, {}, isFastify);
    const query = (text: string) => app.trees('/graphql', { query: text });
    assert.deepEqual(await query('query All { all { id } }'), [`query All SERVER query All [${handler}]`]);
    assert.deepEqual(await query('{ __typename }'), ['POST /graphql SERVER query']);
    assert.deepEqual(await query('query Bad { all { id nickname } }'), [
      `query Bad SERVER query Bad INTERNAL_SERVER_ERROR !no nickname ERROR [${handler}]`,
    ]);
    const post = 'POST /graphql SERVER GRAPHQL';
    assert.deepEqual(await query(`{ all(secret: "${SECRET}") { id }`), [`${post}_PARSE_FAILED`]);
    assert.deepEqual(await query(`{ all(secret: "${SECRET}") { id } }`), [`${post}_VALIDATION_FAILED`]);
    await app.close();
  }

  const resolvers = await start(PlainDriver, { graphql: { resolvers: true } });
  assert.deepEqual(await resolvers.trees('/graphql', { query: '{ all { id } }' }), [
    `POST /graphql SERVER query [Query.all INTERNAL all [${handler}]]`,
  ]);
  assert.deepEqual(await resolvers.trees('/own', { query: '{ hi: greet }' }), [
    'POST /own SERVER query [OwnController.run INTERNAL [query INTERNAL query [GreetingService.greet INTERNAL]]]',
  ]);
  exporter.reset();
  await graphql({ schema: withResolver, source: '{ hi: greet(name: "x") }' });
  assert.deepEqual(await finishedTrees(resolvers.get(TracingService)), [
    'query SERVER query [Query.greet INTERNAL hi]',
  ]);
  await resolvers.close();

  const app = await start(undefined);
  const greet = 'GreetingService.greet INTERNAL';
  assert.deepEqual(await app.trees('/own', { query: `query Hi { greet(name: "${SECRET}") }` }), [
    `POST /own SERVER query Hi [OwnController.run INTERNAL [query Hi INTERNAL query Hi [${greet}]]]`,
  ]);
  assert.deepEqual(await app.trees('/report'), [
    'GET /report SERVER query Report [OwnController.report INTERNAL ' +
      `[query Report INTERNAL query Report INTERNAL_SERVER_ERROR !out of range ERROR [${greet}]]]`,
  ]);
  const tracing = app.get(TracingService);
  exporter.reset();
  const greetings = app.get(GreetingService);
  const rootValue = { greet: () => greetings.greet({}), numbers };
  await tracing.span('job', () => graphql({ schema: own, source: 'query Job { greet }', rootValue }));
  assert.deepEqual(await finishedTrees(tracing), [`job INTERNAL [query Job INTERNAL query Job [${greet}]]`]);
  exporter.reset();
  await graphql({ schema: own, source: 'query Alone { greet }', rootValue });
  assert.deepEqual(await finishedTrees(tracing), [`query Alone SERVER query Alone [${greet}]`]);

  exporter.reset();
  const document = parse('subscription Count { numbers }');
  const events = await subscribe({ schema: own, document, rootValue });
  assert.ok(Symbol.asyncIterator in events);
  const received: unknown[] = [];
  for await (const { data } of events) received.push({ ...data });
  assert.deepEqual(received, [{ numbers: 1 }, { numbers: 2 }]);
  const event = 'subscription Count event SERVER subscription Count link';
  assert.deepEqual(await finishedTrees(tracing), ['subscription Count SERVER subscription Count', event, event]);
  await app.close();

  const off = await start(PlainDriver, { graphql: false });
  assert.deepEqual(await off.trees('/graphql', { query: '{ all { id } }' }), [
    'POST /graphql SERVER [UsersService.all INTERNAL]',
  ]);
  await off.close();
}

await main();
