import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Catch, Injectable, UseFilters, UseGuards, type CanActivate, type ExceptionFilter } from '@nestjs/common';
import { Args, Field, Int, ObjectType, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { Span } from 'nestjs-tracing';
import { graphqlServers, operation, startGraphQLApp, type GraphQLApp } from '../support/graphql-app.js';
import { failed, handler, type ExpectedSpan } from '../support/trace-tree.js';

@ObjectType()
class User {
  @Field(() => Int)
  id!: number;
  @Field(() => String)
  name!: string;
}

@ObjectType()
class Post {
  @Field(() => Int)
  id!: number;
}

class TitlesService {
  @Span()
  async load(keys: readonly number[]): Promise<string[]> {
    return keys.map((key) => `title ${key}`);
  }
}

const waiting: (() => void)[] = [];
/** Resolves for all callers when two have called it. */
function meet(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 2) for (const wake of waiting.splice(0)) wake();
  });
}

@Injectable()
class Closed implements CanActivate {
  canActivate(): boolean {
    throw new TypeError('no key');
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
  @Query(() => [User])
  users(): User[] {
    return [1, 2].map((id) => ({ id, name: `user ${id}` }));
  }

  @Query(() => String, { nullable: true })
  @UseGuards(Closed)
  guarded(): string {
    return 'open';
  }

  @Query(() => String, { nullable: true })
  @UseGuards(Closed)
  @UseFilters(RangeFilter)
  filtered(): string {
    throw new RangeError('too far');
  }

  @ResolveField(() => [Post])
  async posts(@Parent() { id }: User): Promise<Post[]> {
    await meet();
    return [{ id: id * 10 }];
  }

  // Nest calls a method without decorated parameters directly.
  @ResolveField(() => String)
  @Span()
  nickname(): string {
    return 'nick';
  }

  @ResolveField(() => String, { nullable: true })
  broken(@Args('when', { type: () => Int, nullable: true }) _when?: number): string {
    throw new RangeError('broken');
  }
}

@Resolver(() => Post)
class PostsResolver {
  static loader = new DataLoader<number, string>((keys) => new TitlesService().load(keys));

  @ResolveField(() => String)
  title(@Parent() { id }: Post): Promise<string> {
    return PostsResolver.loader.clear(id).load(id);
  }
}

const resolvers = [UsersResolver, PostsResolver];

describe.each(graphqlServers)('the spans of resolvers with %s', (kind) => {
  let app: GraphQLApp;
  beforeEach(async () => {
    app = await startGraphQLApp(kind, { resolvers, tracing: { graphql: { resolvers: true } } });
  });
  afterEach(() => app.close());
  const field = (name: string, path: string, ...children: ExpectedSpan[]): ExpectedSpan => ({
    name,
    attributes: { 'graphql.field.path': path },
    children,
  });
  const users = field('Query.users', 'users', handler('UsersResolver.users'));

  it('are those of methods, not of properties, and paths have no indices', async () => {
    await app.query('query Q { users { id name nickname } }');
    const nickname = field('User.nickname', 'users.nickname', { name: 'UsersResolver.nickname' });
    await app.traces.expect(operation('query', 'Q', {}, users, nickname, nickname));
    await app.query('query Q { all: users { id } }');
    await app.traces.expect(operation('query', 'Q', {}, field('Query.users', 'all', handler('UsersResolver.users'))));
  });

  it('are siblings if they run at the same time, and a loader runs below one of them', async () => {
    await app.query('query Q { users { posts { title } } }');
    await app.traces.until((spans) => spans.length === 8);
    const spans = app.traces.take();
    const root = spans.find(({ name }) => name === 'query Q');
    const named = (name: string) => spans.filter((span) => span.name === name);
    for (const span of [...named('User.posts'), ...named('Post.title')]) {
      expect(span.parentSpanContext?.spanId).toBe(root?.spanContext().spanId);
    }
    expect(named('Post.title').map(({ attributes }) => attributes['graphql.field.path'])).toEqual([
      'users.posts.title',
      'users.posts.title',
    ]);
    const titles = named('Post.title').map((span) => span.spanContext().spanId);
    expect(titles).toContain(named('TitlesService.load')[0]?.parentSpanContext?.spanId);
  });

  it('record an exception once, where it was thrown', async () => {
    await app.query('query Q { users { broken } }');
    const broken = failed(field('User.broken', 'users.broken'), 'RangeError: broken');
    await app.traces.expect(operation('query', 'Q', { status: 'ERROR' }, users, broken, broken));
    await app.query('query Q { guarded }');
    await app.traces.expect(
      operation('query', 'Q', { status: 'ERROR' }, failed(field('Query.guarded', 'guarded'), 'TypeError: no key')),
    );
  });

  it('are not there by default', async () => {
    await app.close();
    app = await startGraphQLApp(kind, { resolvers });
    await app.query('query Q { users { id nickname } }');
    const nickname = { name: 'UsersResolver.nickname' };
    await app.traces.expect(operation('query', 'Q', {}, handler('UsersResolver.users'), nickname, nickname));
  });

  it('keep what they record bounded, however deep a query is', async () => {
    const alias = 'a'.repeat(5000);
    await app.query(`query Q { ${alias}: users { id } }`);
    await app.traces.until((spans) => spans.length === 3);
    const span = app.traces.take().find(({ name }) => name === 'Query.users');
    expect(span?.attributes['graphql.field.path']).toBe('a'.repeat(256));
  });
});
