import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  NotFoundException,
  Scope,
  UseFilters,
  UseGuards,
  Catch,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
} from '@nestjs/common';
import {
  Args,
  Field,
  GqlExecutionContext,
  GraphQLSchemaHost,
  Int,
  Mutation,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  Resolver,
} from '@nestjs/graphql';
import { SpanKind, type Span as OpenTelemetrySpan } from '@opentelemetry/api';
import { graphql, GraphQLError } from 'graphql';
import { CurrentSpan, NoSpan, Span, TracingService, type TracingOptions } from 'nestjs-tracing';
import { graphqlServers, operation, startGraphQLApp, type GraphQLApp } from '../support/graphql-app.js';
import { failed, handler, server } from '../support/trace-tree.js';

@ObjectType()
class Post {
  @Field(() => String)
  title!: string;
}

@ObjectType()
class User {
  @Field(() => Int)
  id!: number;
  @Field(() => String)
  name!: string;
}

@Injectable()
class UsersService {
  @Span()
  async all(): Promise<User[]> {
    return [1, 2].map((id) => ({ id, name: `user ${id}` }));
  }
}

@Injectable()
class Closed implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { fieldName } = GqlExecutionContext.create(context).getInfo<{ fieldName: string }>();
    if (fieldName === 'guarded') throw new TypeError('no key');
    return false;
  }
}

@Catch(RangeError)
class RangeFilter implements ExceptionFilter {
  catch(): string {
    return 'from the filter';
  }
}

@Resolver(() => User)
class UsersResolver {
  constructor(@Inject(UsersService) private readonly users: UsersService) {}

  @Query(() => [User])
  async all(): Promise<User[]> {
    return this.users.all();
  }

  @Query(() => User, { nullable: true })
  user(@Args('name', { type: () => String }) name: string): User {
    if (name === 'missing') throw new NotFoundException('no such user');
    if (name === 'coded') throw new GraphQLError('sold out', { extensions: { code: 'SOLD_OUT' } });
    if (name === 'broken') throw new Error('broke');
    return { id: 1, name };
  }

  @Query(() => String)
  current(@CurrentSpan() span: OpenTelemetrySpan): string {
    span.setAttribute('own', true);
    return 'yes';
  }

  @Query(() => String, { nullable: true })
  @UseGuards(Closed)
  guarded(): string {
    return 'open';
  }

  @Query(() => String, { nullable: true })
  @UseGuards(Closed)
  rejected(): string {
    return 'open';
  }

  @Query(() => String)
  @UseFilters(RangeFilter)
  filtered(): string {
    throw new RangeError('too far');
  }

  @Query(() => String)
  @NoSpan()
  async quiet(): Promise<string> {
    await this.users.all();
    return 'quiet';
  }

  @Mutation(() => Int)
  rename(): number {
    return 1;
  }

  @ResolveField(() => [Post])
  posts(@Parent() user: User): Post[] {
    if (user.name === 'user 2') throw new TypeError('posts are broken');
    return [{ title: `post of ${user.name}` }];
  }

  @ResolveField(() => String, { nullable: true })
  nickname(@Parent() user: User): string {
    if (user.name === 'user 2') throw new TypeError('no nickname');
    return user.name.toUpperCase();
  }
}

@Injectable({ scope: Scope.REQUEST })
class Greeter {
  readonly greeting = 'hello';
}

@Resolver()
class GreetingsResolver {
  constructor(@Inject(Greeter) private readonly greeter: Greeter) {}
  @Query(() => String)
  greeting(): string {
    return this.greeter.greeting;
  }
}

@Controller()
class ReportController {
  constructor(@Inject(GraphQLSchemaHost) private readonly host: GraphQLSchemaHost) {}

  @Get('report')
  report(): Promise<unknown> {
    return graphql({ schema: this.host.schema, source: 'query Report { all { id } }', contextValue: {} });
  }
}

const OPERATION_COUNT = 'nestjs_graphql_operation_duration_seconds_count';

const resolvers = [UsersResolver, UsersService, GreetingsResolver, Greeter];

describe.each(graphqlServers)('an operation with %s', (kind) => {
  let app: GraphQLApp;
  const start = async (tracing: Omit<TracingOptions, 'exporter'> = {}, graphql: Record<string, unknown> = {}) => {
    app = await startGraphQLApp(kind, { resolvers, tracing, graphql });
  };
  afterEach(() => app.close());

  describe('with the defaults', () => {
    beforeEach(() => start());

    it('describes the server span, with the handlers of its fields below', async () => {
      const all = { name: 'UsersService.all' };
      expect(await app.query('query AllUsers { all { id name } }')).toMatchObject({
        data: { all: [{ id: 1 }, { id: 2 }] },
      });
      await app.traces.expect(operation('query', 'AllUsers', {}, handler('UsersResolver.all', all)));
      await app.query('{ all { id } }');
      await app.traces.expect(operation('query', undefined, {}, handler('UsersResolver.all', all)));
      await app.query('mutation Rename { rename }');
      await app.traces.expect(operation('mutation', 'Rename', {}, handler('UsersResolver.rename')));
      await app.query('query Two { a: user(name: "a") { name } b: user(name: "b") { name } greeting }');
      await app.traces.expect(
        operation(
          'query',
          'Two',
          {},
          handler('UsersResolver.user'),
          handler('UsersResolver.user'),
          handler('GreetingsResolver.greeting'),
        ),
      );
    });

    it('is described without a resolver of the application', async () => {
      await app.query('query Meta { __typename __schema { queryType { name } } }');
      await app.traces.expect(operation('query', 'Meta'));
    });

    it('gives a handler its span, and does not trace one that has @NoSpan()', async () => {
      await app.query('{ current quiet }');
      await app.traces.expect(
        operation('query', undefined, {}, { ...handler('UsersResolver.current'), attributes: { own: true } }),
      );
    });

    it('has failed because of an exception', async () => {
      expect(await app.query('query Broken { user(name: "broken") { name } }')).toMatchObject({
        data: { user: null },
        errors: [{ message: 'broke' }],
      });
      await app.traces.expect(
        operation(
          'query',
          'Broken',
          {
            status: 'ERROR',
            attributes: {
              'error.type': 'Error',
              'graphql.error.count': 1,
              'graphql.error.codes': kind === 'Mercurius' ? undefined : ['INTERNAL_SERVER_ERROR'],
            },
          },
          failed(handler('UsersResolver.user'), 'Error: broke'),
        ),
      );
      await app.query('{ filtered }');
      await app.traces.expect(
        operation('query', undefined, {}, failed(handler('UsersResolver.filtered'), 'RangeError: too far')),
      );
    });

    it('has not failed because of an exception that is an answer to the client', async () => {
      await app.query('{ user(name: "missing") { name } }');
      await app.traces.expect(
        operation(
          'query',
          undefined,
          { attributes: { 'error.type': undefined, 'graphql.error.count': 1 } },
          failed(handler('UsersResolver.user'), 'NotFoundException: no such user'),
        ),
      );
      await app.query('{ user(name: "coded") { name } }');
      await app.traces.expect(
        operation(
          'query',
          undefined,
          { attributes: { 'error.type': undefined, 'graphql.error.codes': ['SOLD_OUT'] } },
          failed(handler('UsersResolver.user'), 'GraphQLError: sold out'),
        ),
      );
    });

    it('records what a guard throws, but not that one has returned false', async () => {
      await app.query('{ guarded }');
      const events = ['exception TypeError: no key'];
      await app.traces.expect(operation('query', undefined, { status: 'ERROR', events }));
      await app.query('{ rejected }');
      await app.traces.expect(operation('query', undefined));
    });

    it('counts partial errors', async () => {
      const found = await app.query('query Partial { all { nickname } }');
      expect(found).toMatchObject({ data: { all: [{ nickname: 'USER 1' }, { nickname: null }] } });
      await app.traces.expect(
        operation(
          'query',
          'Partial',
          {
            status: 'ERROR',
            attributes: { 'graphql.error.count': 1, 'error.type': 'TypeError' },
            events: ['exception TypeError: no nickname'],
          },
          handler('UsersResolver.all', { name: 'UsersService.all' }),
        ),
      );
    });

    it('shows codes for a document that is rejected, and nothing of the document', async () => {
      const secret = 'hunter2';
      await app.query(`query Bad { user(name: 1, secret: "${secret}") { name } }`);
      await app.query(`query { user(name: "${secret}" }`);
      await app.traces.until((spans) => spans.length === 2);
      const spans = app.traces.take();
      for (const span of spans) {
        expect(span.name).toBe('POST /graphql');
        expect(JSON.stringify([span.attributes, span.events, span.status])).not.toContain(secret);
      }
      const codes = spans.map((span) => span.attributes['graphql.error.codes']);
      const apollo = [['GRAPHQL_VALIDATION_FAILED'], ['GRAPHQL_PARSE_FAILED']];
      expect(codes).toEqual(kind === 'Mercurius' ? [['MER_ERR_GQL_VALIDATION'], ['MER_ERR_GQL_VALIDATION']] : apollo);
    });

    it('never records variables and literals', async () => {
      const secret = 'hunter2';
      await app.query(`query A { user(name: "${secret}") { id } }`);
      await app.query('query B($name: String!) { user(name: $name) { id } }', { variables: { name: secret } });
      await app.query('query C($name: String!) { user(name: $name) { id } }', { variables: { name: { secret } } });
      await app.traces.until((spans) => spans.length >= 5);
      for (const span of app.traces.take()) {
        expect(JSON.stringify([span.name, span.attributes, span.events, span.status])).not.toContain(secret);
      }
    });

    it('has a short name, whatever name the client invents', async () => {
      const long = `query ${'a'.repeat(5000)} { __typename }`;
      await app.query(long);
      await app.traces.until((spans) => spans.length === 1);
      const [span] = app.traces.take();
      expect(span?.name).toBe('POST /graphql');
      expect(span?.attributes['graphql.operation.name']).toBe('a'.repeat(128));
    });
  });

  it('keeps the name of its route, or has no attributes, if the application wants that', async () => {
    await start({ graphql: { operationNames: false } });
    await app.query('query Meta { __typename }');
    await app.traces.expect({ ...operation('query', 'Meta'), name: 'POST /graphql' });
    await app.close();
    await start({ http: { spanName: () => 'mine' } });
    await app.query('query Meta { __typename }');
    await app.traces.expect({ ...operation('query', 'Meta'), name: 'mine' });
    await app.close();
    await start({ graphql: false });
    await app.query('query Meta { current }');
    await app.traces.expect(
      server('POST /graphql', { code: 200, attributes: { 'graphql.operation.type': undefined } }),
    );
  });

  it('describes the server span within a span of a middleware, but renames no request of a handler', async () => {
    app = await startGraphQLApp(kind, {
      resolvers,
      controllers: [ReportController],
      tracing: { nest: { lifecycle: true } },
      prepare(nest) {
        const tracing = nest.get(TracingService);
        nest.use((_request: unknown, _response: unknown, next: () => void) => tracing.span('middleware', () => next()));
      },
    });
    await app.query('query Meta { __typename }');
    await app.traces.until((spans) => spans.length === 2);
    expect(app.traces.named('query Meta').attributes['graphql.operation.name']).toBe('Meta');
    app.traces.take();
    await app.request('/report');
    await app.traces.until((spans) => spans.some(({ kind: spanKind }) => spanKind === SpanKind.SERVER));
    expect(app.traces.named('GET /report').attributes['graphql.operation.name']).toBe('Report');
  });

  it('with a persisted query that the server does not know has the code of that', async () => {
    if (kind === 'Mercurius') await start({}, { persistedQueries: {} });
    else await start();
    const sha256Hash = 'a'.repeat(64);
    const apollo = { extensions: { persistedQuery: { version: 1, sha256Hash } } };
    await app.post(kind === 'Mercurius' ? { query: sha256Hash, persisted: true } : apollo);
    await app.traces.until((spans) => spans.length === 1);
    const [span] = app.traces.take();
    expect(span?.name).toBe('POST /graphql');
    if (kind !== 'Mercurius') expect(span?.attributes['graphql.error.codes']).toEqual(['PERSISTED_QUERY_NOT_FOUND']);
  });

  it('in a batch is an event of the request', async () => {
    await start({}, kind === 'Mercurius' ? { allowBatchedQueries: true } : { allowBatchedHttpRequests: true });
    expect(await app.post([{ query: 'query One { current }' }, { query: 'query Two { current }' }])).toHaveLength(2);
    await app.traces.expect({
      ...server('POST /graphql', 200, handler('UsersResolver.current'), handler('UsersResolver.current')),
      attributes: { 'http.route': '/graphql', 'graphql.operation.type': undefined },
      events: ['graphql operation', 'graphql operation'],
    });
  });

  it('that the application executes itself is below the span of the application', async () => {
    await start();
    const schema = app.app.get(GraphQLSchemaHost, { strict: false }).schema;
    const tracing = app.app.get(TracingService);
    const result = await tracing.span('report', () => graphql({ schema, source: '{ all { id } }', contextValue: {} }));
    expect(result.errors).toBeUndefined();
    await app.traces.expect({ name: 'report', children: [{ name: 'UsersService.all' }] });
    await graphql({ schema, source: 'query Alone { all { id } }', contextValue: {} });
    const children = [handler('UsersResolver.all', { name: 'UsersService.all' })];
    await app.traces.expect({ name: 'query Alone', kind: 'SERVER', children });
  });

  it('keeps the route in metrics, beside which each operation is measured', async () => {
    await start({ metrics: { path: '/metrics', defaultMetrics: false } });
    await app.query('query Meta { __typename }');
    await app.query('mutation { rename }');
    await app.query('query Broken { user(name: "broken") { name } }');
    await app.query('query Partial { all { nickname } }');
    await app.query('query Missing { user(name: "missing") { name } }');
    await app.query('query Rejected { nothing }');
    const lines = (await scrapedLines()).filter((line) => /(?:request|operation)_duration_seconds_count/.test(line));
    expect(lines.filter((line) => line.startsWith('http_'))).toEqual([
      expect.stringMatching(/http_route="\/graphql".* \d$/),
      expect.stringContaining('http_response_status_code="400"'),
    ]);
    expect(
      lines.filter((line) => line.startsWith(OPERATION_COUNT)).map((line) => line.slice(OPERATION_COUNT.length)),
    ).toEqual([
      '{graphql_operation_type="query",graphql_operation_name="Meta"} 1',
      '{graphql_operation_type="mutation"} 1',
      '{graphql_operation_type="query",graphql_operation_name="Broken",error_type="Error"} 1',
      '{graphql_operation_type="query",graphql_operation_name="Partial",error_type="TypeError"} 1',
      '{graphql_operation_type="query",graphql_operation_name="Missing"} 1',
    ]);
  });

  it('is measured in a trace that is not sampled, and in a batch, with few names', async () => {
    const batches = kind === 'Mercurius' ? { allowBatchedQueries: true } : { allowBatchedHttpRequests: true };
    await start({ metrics: { path: '/metrics', defaultMetrics: false }, sampler: { ratio: 0 } }, batches);
    const operations = Array.from({ length: 210 }, (_, index) => ({ query: `query Name${index} { __typename }` }));
    await app.post(operations);
    await app.query(`query ${'a'.repeat(65)} { __typename }`);
    const counts = (await scrapedLines()).filter((line) => line.startsWith(OPERATION_COUNT));
    expect(counts).toHaveLength(201);
    expect(counts.at(-1)).toBe(`${OPERATION_COUNT}{graphql_operation_type="query",graphql_operation_name="_OTHER"} 11`);
    expect(app.traces.spans).toEqual([]);
  });

  it('is measured without its name if names are not wanted', async () => {
    await start({ metrics: { path: '/metrics', defaultMetrics: false }, graphql: { operationNames: false } });
    await app.query('query Meta { __typename }');
    const counts = (await scrapedLines()).filter((line) => line.startsWith(OPERATION_COUNT));
    expect(counts).toEqual([`${OPERATION_COUNT}{graphql_operation_type="query"} 1`]);
  });

  async function scrapedLines(): Promise<string[]> {
    return (await app.request('/metrics')).body.split('\n');
  }
});
