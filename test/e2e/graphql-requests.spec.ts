/** The forms in which a client may ask for an operation, and what becomes of its errors. */
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Field, Int, ObjectType, Args, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { Span, type TracingOptions } from 'nestjs-tracing';
import { graphqlServers, operation, startGraphQLApp, type GraphQLApp } from '../support/graphql-app.js';
import { failed, handler } from '../support/trace-tree.js';

const SECRET = 'hunter2';

class TagsService {
  @Span()
  async of(ids: number[]): Promise<string[]> {
    await Promise.resolve();
    return ids.map((id) => `tag ${id}`);
  }
}

const tags = new TagsService();

@ObjectType()
class User {
  @Field(() => Int)
  id!: number;

  /** Has a loader of Mercurius. */
  @Field(() => String, { nullable: true })
  tag?: string;
}

@Resolver(() => User)
class UsersResolver {
  @Query(() => [User])
  users(@Args('name', { type: () => String, nullable: true }) _name?: string): User[] {
    return [{ id: 1 }, { id: 2 }];
  }

  @Query(() => User, { nullable: true })
  broken(): never {
    throw new RangeError('the database says no');
  }

  @ResolveField(() => String, { nullable: true })
  nickname(@Parent() { id }: User): string {
    if (id === 2) throw new TypeError('the cache says no');
    return 'one';
  }
}

const exceptionsOf = (spans: readonly ReadableSpan[]) =>
  spans.flatMap(({ events }) => events.map(({ attributes }) => attributes?.['exception.message']));

describe.each(graphqlServers)('%s', (kind) => {
  let app: GraphQLApp;
  const isMercurius = kind === 'Mercurius';
  const start = async (graphql: Record<string, unknown> = {}, tracing: Omit<TracingOptions, 'exporter'> = {}) => {
    app = await startGraphQLApp(kind, { resolvers: [UsersResolver], graphql, tracing });
  };
  afterEach(() => app.close());

  const users = handler('UsersResolver.users');

  it('describes a request by GET as one by POST, and shows nothing of the document', async () => {
    await start();
    const query = `query Find { users(name: "${SECRET}") { id } }`;
    const found = await app.request(`/graphql?${new URLSearchParams({ query, operationName: 'Find' }).toString()}`, {
      headers: { 'apollo-require-preflight': 'true' },
    });
    expect(JSON.parse(found.body)).toEqual({ data: { users: [{ id: 1 }, { id: 2 }] } });
    await app.traces.until((spans) => spans.length === 2);
    for (const span of app.traces.spans) expect(JSON.stringify([span.attributes, span.name])).not.toContain(SECRET);
    await app.traces.expect(operation('query', 'Find', { attributes: { 'http.request.method': 'GET' } }, users));
  });

  it('describes a persisted query as any other', async () => {
    const query = 'query Find { users { id } }';
    const sha256Hash = createHash('sha256').update(query).digest('hex');
    await start(isMercurius ? { persistedQueries: { [sha256Hash]: query } } : {});
    const extensions = { persistedQuery: { version: 1, sha256Hash } };
    if (!isMercurius) {
      await app.post({ query, extensions });
      await app.traces.expect(operation('query', 'Find', {}, users));
    }
    const found = await app.post(isMercurius ? { query: sha256Hash, persisted: true } : { extensions });
    expect(found).toEqual({ data: { users: [{ id: 1 }, { id: 2 }] } });
    await app.traces.expect(operation('query', 'Find', {}, users));
  });

  it('records an exception once as it was thrown, if the application masks errors', async () => {
    const masked = { message: 'Something went wrong' };
    const errorFormatter = ({ data }: { data: unknown }) => ({ statusCode: 200, response: { data, errors: [masked] } });
    await start(isMercurius ? { errorFormatter } : { formatError: () => masked });
    expect(await app.query('query Broken { broken { id } }')).toMatchObject({ errors: [masked] });
    const details = { status: 'ERROR', attributes: { 'error.type': 'RangeError', 'graphql.error.count': 1 } };
    const broken = failed(handler('UsersResolver.broken'), 'RangeError: the database says no');
    await app.traces.expect(operation('query', 'Broken', details, broken));
    expect(await app.query('query Partly { users { nickname } }')).toMatchObject({ errors: [masked] });
    await app.traces.until((spans) => spans.length === 2);
    expect(exceptionsOf(app.traces.spans)).toEqual(['the cache says no']);
    expect(app.traces.named('query Partly').attributes['error.type']).toBe('TypeError');
  });

  if (isMercurius) {
    const loadersOf = (tag: (queries: { obj: User }[]) => unknown) => ({ loaders: { User: { tag } } });

    it('calls its loaders in the context of the request', async () => {
      let traceId: string | undefined;
      await start(
        loadersOf((queries) => {
          traceId = trace.getActiveSpan()?.spanContext().traceId;
          return tags.of(queries.map(({ obj }) => obj.id));
        }),
      );
      expect(await app.query('query Tags { users { tag } }')).toEqual({
        data: { users: [{ tag: 'tag 1' }, { tag: 'tag 2' }] },
      });
      await app.traces.until((spans) => spans.length === 3);
      expect(traceId).toBe(app.traces.named('query Tags').spanContext().traceId);
      await app.traces.expect(operation('query', 'Tags', {}, users, { name: 'TagsService.of' }));
    });

    it('shows that a loader has failed', async () => {
      await start(loadersOf(() => Promise.reject(new RangeError('no tags'))));
      expect(await app.query('query Tags { users { tag } }')).toMatchObject({ errors: [{ message: 'no tags' }, {}] });
      const details = { status: 'ERROR', attributes: { 'graphql.error.count': 2, 'error.type': '_OTHER' } };
      await app.traces.expect(operation('query', 'Tags', details, users));
    });
  }
});
