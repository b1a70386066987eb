import { jest } from '@jest/globals';
import type { Provider } from '@nestjs/common';
import { ApolloDriver } from '@nestjs/apollo';
import { GraphQLModule } from '@nestjs/graphql';
import type { TracingOptions } from 'nestjs-tracing';
import { startHttpApp, type HttpApp, type HttpAppOptions, type Platform } from './http-app.js';
import { server, type ExpectedSpan } from './trace-tree.js';

// Mercurius requires it for its IDE. It requires an ES module, which Jest's own modules cannot on the supported releases of Node.
jest.mock('@fastify/static', () => () => {});
const { MercuriusDriver } = await import('@nestjs/mercurius');

export type GraphQLServer = 'Apollo on Express' | 'Apollo on Fastify' | 'Mercurius';

export const graphqlServers = [['Apollo on Express'], ['Apollo on Fastify'], ['Mercurius']] as const satisfies [
  GraphQLServer,
][];

export interface GraphQLResult {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: Record<string, unknown> }[];
}

export interface GraphQLApp extends HttpApp {
  /** Sends a query or a mutation. */
  query(query: string, rest?: Record<string, unknown>): Promise<GraphQLResult>;
  /** Sends any body. */
  post(body: unknown): Promise<unknown>;
}

export interface GraphQLAppOptions extends Omit<HttpAppOptions, 'providers'> {
  readonly resolvers: Provider[];
  readonly graphql?: Record<string, unknown>;
  readonly tracing?: Omit<TracingOptions, 'exporter'> | false;
}

export async function startGraphQLApp(
  kind: GraphQLServer,
  { graphql = {}, imports = [], resolvers, ...options }: GraphQLAppOptions,
): Promise<GraphQLApp> {
  const driver = kind === 'Mercurius' ? MercuriusDriver : ApolloDriver;
  const platform: Platform = kind === 'Apollo on Express' ? 'Express' : 'Fastify';
  const graphqlModule = GraphQLModule.forRoot({ driver, autoSchemaFile: true, graphiql: false, ...graphql } as never);
  const http = await startHttpApp(platform, { ...options, imports: [...imports, graphqlModule], providers: resolvers });
  async function post(body: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const response = await http.request('/graphql', { method: 'POST', headers, body: JSON.stringify(body) });
    return JSON.parse(response.body);
  }
  return { ...http, post, query: (query, rest = {}) => post({ query, ...rest }) as Promise<GraphQLResult> };
}

/** The server span of a request that executes one operation. */
export function operation(
  type: string,
  name: string | undefined,
  details: Partial<ExpectedSpan> = {},
  ...children: ExpectedSpan[]
): ExpectedSpan {
  return {
    ...server('POST /graphql', 200, ...children),
    name: name === undefined ? 'POST /graphql' : `${type} ${name}`,
    ...details,
    attributes: {
      'http.route': '/graphql',
      'http.response.status_code': 200,
      'graphql.operation.type': type,
      'graphql.operation.name': name,
      'graphql.document': undefined,
      ...details.attributes,
    },
  };
}
