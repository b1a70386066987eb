import { describe, expect, it, jest } from '@jest/globals';
import {
  ForbiddenException,
  Injectable,
  Scope,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import {
  AbstractGraphQLDriver,
  Args,
  Field,
  GraphQLSchemaHost,
  Info,
  Int,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  Resolver,
} from '@nestjs/graphql';
import { GraphQLError, printSchema } from 'graphql';
import { map, of, type Observable } from 'rxjs';
import { graphqlServers, startGraphQLApp, type GraphQLApp } from '../support/graphql-app.js';

// Each test compares an application with tracing to the same application without tracing.

const seen: unknown[] = [];

@Injectable()
class OpenGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    seen.push(context.getHandler(), context.getClass(), context.getArgs().length, context.getType());
    return true;
  }
}

@Injectable()
class Doubling implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler<number>): Observable<number> {
    return next.handle().pipe(map((value) => value * 2));
  }
}

@ObjectType()
class User {
  @Field(() => Int)
  id!: number;
}

@Resolver(() => User)
class UsersResolver {
  @Query(() => [User])
  @UseGuards(OpenGuard)
  users(@Info() info: { fieldName: string }): User[] {
    seen.push(info.fieldName, this instanceof UsersResolver);
    return [{ id: 1 }, { id: 2 }];
  }

  @Query(() => Int)
  @UseInterceptors(Doubling)
  doubled(): Observable<number> {
    return of(1, 21);
  }

  @Query(() => String, { nullable: true })
  fails(@Args('how', { type: () => String }) how: string): string {
    if (how === 'GraphQLError') throw new GraphQLError('own', { extensions: { code: 'OWN', detail: 1 } });
    if (how === 'HttpException') throw new ForbiddenException('not you');
    throw new TypeError(how);
  }

  @ResolveField(() => String)
  name(@Parent() { id }: User): Promise<string> {
    return Promise.resolve(`user ${id}`);
  }

  @ResolveField(() => String, { nullable: true })
  broken(): string {
    seen.push(this instanceof UsersResolver);
    throw new TypeError('broken');
  }
}

@Resolver()
@Injectable({ scope: Scope.REQUEST })
class ScopedResolver {
  @Query(() => String)
  scoped(): string {
    return 'scoped';
  }
}

describe.each(graphqlServers)('with tracing of %s', (kind) => {
  async function withApp<T>(
    traced: boolean | { resolvers: true },
    use: (app: GraphQLApp) => Promise<T>,
  ): Promise<[T, unknown[]]> {
    seen.length = 0;
    const plugins: unknown[] = [];
    const app = await startGraphQLApp(kind, {
      resolvers: [UsersResolver, ScopedResolver, OpenGuard, Doubling],
      graphql: { plugins },
      tracing: traced === false ? false : { graphql: traced },
    });
    try {
      const result = await use(app);
      expect(plugins).toEqual([]);
      // Without these spans, the test would compare two applications without tracing.
      await app.query('{ __typename }');
      expect(app.traces.take().length > 0).toBe(traced !== false);
      return [result, [...seen]];
    } finally {
      await app.close();
    }
  }

  async function expectSame<T>(use: (app: GraphQLApp) => Promise<T>): Promise<[T, unknown[]]> {
    const bare = await withApp(false, use);
    expect(await withApp(true, use)).toEqual(bare);
    expect(await withApp({ resolvers: true }, use)).toEqual(bare);
    return bare;
  }

  it('requests have the same results, errors included', async () => {
    const [, noted] = await expectSame(async (app) => {
      const bodies = [
        { query: '{ users { id name broken } doubled scoped }' },
        { query: '{ a: fails(how: "GraphQLError") b: fails(how: "HttpException") c: fails(how: "x") }' },
        { query: '{ nothing }' },
        { query: '{' },
        { query: 'query A { scoped } query B { doubled }', operationName: 'B' },
        { query: 'query A { scoped } query B { doubled }' },
        { query: 'query A($how: String!) { fails(how: $how) }', variables: { how: 7 } },
        {},
      ];
      const results: unknown[] = [];
      for (const body of bodies) results.push(withoutStacks(await app.post(body)));
      return results;
    });
    expect(noted).toContain(UsersResolver.prototype.users);
  });

  it('resolvers, the driver and the schema are what they were', async () => {
    await expectSame(async (app) => ({
      schema: printSchema(app.app.get(GraphQLSchemaHost, { strict: false }).schema),
      driver: Object.keys(app.app.get(AbstractGraphQLDriver, { strict: false })).toSorted(),
      start: Object.hasOwn(app.app.get<object>(AbstractGraphQLDriver, { strict: false }), 'start'),
      resolver: [Reflect.ownKeys(app.app.get(UsersResolver)), Reflect.ownKeys(UsersResolver.prototype)],
      method: [UsersResolver.prototype.users.name, Object.keys(UsersResolver.prototype.users)],
      metadata: Reflect.getMetadataKeys(UsersResolver.prototype.users),
    }));
  });

  it('a spy on a resolver sees as much as without it', async () => {
    await expectSame(async (app) => {
      const spies = [
        jest.spyOn(UsersResolver.prototype, 'users'),
        jest.spyOn(app.app.get(UsersResolver), 'broken'),
        jest.spyOn(ScopedResolver.prototype, 'scoped').mockReturnValue('stubbed'),
      ];
      const result = await app.query('{ users { broken } scoped }');
      const calls = spies.map(({ mock }) => mock.calls.length);
      for (const spy of spies) spy.mockRestore();
      return [calls, result.data];
    });
  });
});

/** Removes the stacks that Apollo adds to errors, which have frames of the library. */
function withoutStacks(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body), (key, value: unknown) => (key === 'stacktrace' ? undefined : value));
}
