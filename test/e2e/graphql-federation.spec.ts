/** A gateway of Apollo's federation in front of two services. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { IntrospectAndCompose } from '@apollo/gateway';
import { ApolloFederationDriver, ApolloGatewayDriver } from '@nestjs/apollo';
import type { Type } from '@nestjs/common';
import { GraphQLModule, Parent, Query, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { nodePropagates } from '../support/client-app.js';
import { startHttpApp, type HttpApp } from '../support/http-app.js';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])';
const USERS = `${LINK} type Query { me: User } type User @key(fields: "id") { id: ID! name: String }`;
const POSTS = `${LINK} type Query { latest: String } type User @key(fields: "id") { id: ID! posts: [String] }`;

@Resolver('User')
class UsersResolver {
  @Query()
  me(): object {
    return { id: '7', name: 'Ada' };
  }
}

@Resolver('User')
class PostsResolver {
  @Query()
  latest(): never {
    throw new RangeError('no posts yet');
  }

  @ResolveReference()
  resolveReference({ id }: { id: string }): object {
    return { id };
  }

  @ResolveField()
  posts(@Parent() { id }: { id: string }): string[] {
    return [`first of ${id}`];
  }
}

const apps: HttpApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0).toReversed()) await app.close();
});

/** The spans of all applications of the process go to the first one, as do those of their outgoing requests. */
async function start(options: object, providers: Type[] = []): Promise<HttpApp> {
  const imports = [GraphQLModule.forRoot(options as never)];
  const app = await startHttpApp('Express', { tracing: { http: { client: {} } }, imports, providers });
  apps.push(app);
  return app;
}

const startService = (typeDefs: string, resolver: Type) =>
  start({ driver: ApolloFederationDriver, typeDefs, graphiql: false }, [resolver]);

async function startAll(): Promise<{ gateway: HttpApp; ask: (query: string) => Promise<unknown> }> {
  const services = { users: await startService(USERS, UsersResolver), posts: await startService(POSTS, PostsResolver) };
  const subgraphs = Object.entries(services).map(([name, { url }]) => ({ name, url: `${url}/graphql` }));
  const gateway = await start({
    driver: ApolloGatewayDriver,
    gateway: { supergraphSdl: new IntrospectAndCompose({ subgraphs }) },
    server: { graphiql: false },
  });
  const headers = { 'content-type': 'application/json' };
  const ask = async (query: string): Promise<unknown> => {
    const { body } = await gateway.request('/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) });
    return JSON.parse(body);
  };
  return { gateway, ask };
}

const served = (spans: readonly ReadableSpan[]) => spans.filter(({ kind }) => kind === SpanKind.SERVER);

describe('a gateway in front of two services', () => {
  it('has one trace with the services, each described by its operation', async () => {
    const { ask, gateway } = await startAll();
    const { traces } = apps[0]!;
    traces.reset();
    expect(await ask('query Mine { me { name posts } }')).toEqual({
      data: { me: { name: 'Ada', posts: ['first of 7'] } },
    });
    await traces.until((spans) => served(spans).length === 3);
    const outer = served(traces.spans).find(({ attributes }) => attributes['server.port'] === gateway.port);
    expect(outer).toMatchObject({
      name: 'query Mine',
      attributes: { 'graphql.operation.type': 'query', 'graphql.operation.name': 'Mine', 'http.route': '/graphql' },
    });
    const inner = served(traces.spans).filter((span) => span !== outer);
    expect(inner.map(({ attributes }) => attributes['graphql.operation.type'])).toEqual(['query', 'query']);
    if (nodePropagates) expect(new Set(traces.spans.map((span) => span.spanContext().traceId)).size).toBe(1);
  });

  it('shows the failure of a service, and that of the gateway because of it', async () => {
    const { ask, gateway } = await startAll();
    const { traces } = apps[0]!;
    traces.reset();
    expect(await ask('query Latest { latest }')).toMatchObject({ errors: [{ message: 'no posts yet' }] });
    await traces.until((spans) => served(spans).length === 2);
    const outer = served(traces.spans).find(({ attributes }) => attributes['server.port'] === gateway.port);
    const inner = served(traces.spans).find((span) => span !== outer);
    expect(inner).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'RangeError' } });
    expect(outer).toMatchObject({
      name: 'query Latest',
      status: { code: 2 },
      attributes: { 'graphql.error.count': 1, 'error.type': 'GraphQLError' },
    });
    expect(outer!.events.map(({ attributes }) => attributes?.['exception.message'])).toEqual(['no posts yet']);
  });
});
