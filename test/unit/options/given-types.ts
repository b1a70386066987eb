/**
 * Options that the start accepts, which the compiler must accept as well, and options that both must refuse. `npm run types` compiles this
 * file. If an expected error does not occur, that is an error as well.
 */
import type { TracingModule, TracingOptions } from '../../../lib/index.js';

/** Every group that can be switched on and off. */
export const switches: TracingOptions[] = [true, false, 'true' as const, 'false' as const].map((given) => ({
  enabled: given,
  http: given,
  grpc: given,
  messaging: given,
  data: given,
  jobs: given,
  websockets: given,
  graphql: given,
  events: given,
  metrics: given,
  logs: given,
}));

export const inGroups: TracingOptions = {
  http: { client: true, trustIncoming: 'false' },
  response: { traceId: 'x-trace-id', serverTiming: 'true' },
  grpc: { messageEvents: 'true', builtInServices: 'false', trustIncoming: 'true' },
  data: { parameters: 'false', maxQueryTextLength: '100', postgres: 'false', redis: { queryText: 'true' } },
  nest: { lifecycle: 'true' },
  sampler: { ratio: '0.1', parentBased: 'false', keep: { errors: 'true', slowerThan: '500' } },
  exporter: [
    { type: 'otlp', timeout: '1000', headers: { 'x-api-key': 'key', 'x-tenant': 7, 'x-region': undefined } },
    { type: 'jaeger', port: '6832' },
  ],
  batch: { maxQueueSize: '10', scheduledDelay: '1e3' },
  limits: { attributeCount: '10' },
  metrics: { port: '9464', defaultMetrics: 'false' },
  shutdown: { timeout: '100', onProcessExit: 'true' },
};

/** The parameters of functions are inferred, and so is the form of a group. */
export const inferred: TracingOptions = {
  http: { trustIncoming: (request) => request.headers['x-internal'] === 'yes', ignore: ({ url }) => url === '/health' },
  grpc: { trustIncoming: ({ metadata }) => metadata.get('x-internal').length > 0 },
  data: { redis: { ignore: ({ operation }) => operation === 'PING' } },
};

/** A factory infers its literals as the options have them. */
export const asyncOptions: Parameters<typeof TracingModule.forRootAsync>[0] = {
  useFactory: () => ({ http: true, metrics: 'true', sampler: { ratio: '0.1' }, exporter: { type: 'otlp' } }),
};

/** A variable has any text, or none. */
export const fromVariables: Parameters<typeof TracingModule.forRootAsync>[0] = {
  useFactory: (env: NodeJS.ProcessEnv) => ({
    enabled: env.TRACING,
    serviceName: env.SERVICE_NAME,
    exporter: { type: 'otlp', endpoint: env.ENDPOINT, headers: { 'x-api-key': env.API_KEY }, timeout: env.TIMEOUT },
    sampler: { ratio: env.RATIO ?? 1, keep: { errors: env.KEEP_ERRORS } },
    batch: { maxQueueSize: env.QUEUE_SIZE },
    http: { client: env.OUTGOING, trustIncoming: env.TRUST },
    grpc: env.GRPC,
    metrics: env.METRICS,
    shutdown: { timeout: env.SHUTDOWN_TIMEOUT },
  }),
};

// @ts-expect-error A number does not switch a group.
export const numberForBoolean: TracingOptions = { grpc: 1 };

// @ts-expect-error Baggage is not a group that can be switched.
export const switchedBaggage: TracingOptions = { baggage: true };

// @ts-expect-error An agent of Jaeger has no endpoint: the error of the union stays.
export const mixedForms: TracingOptions = { exporter: { type: 'jaeger', port: '6832', endpoint: 'http://jaeger' } };

// @ts-expect-error Guards protect a path of the application only.
export const guardedPort: TracingOptions = { metrics: { port: '9464', guards: [] } };

// @ts-expect-error A header has one value.
export const listOfValues: TracingOptions = { exporter: { type: 'otlp', headers: { 'x-api-key': ['a'] } } };
