import { otelPreload } from '../../support/preload.mjs';
import { QUEUE } from '../../support/queue.mjs';

const shared = { packages: ['@opentelemetry/instrumentation-http'], setup: 'instrumented', nodeArgs: otelPreload.esm };
const title = 'OpenTelemetry';

export const setups = [
  {
    ...shared,
    id: 'otel-http',
    title: `${title} http`,
    spans: 1,
    options: { queue: QUEUE, instrumentations: 'http' },
  },
  {
    ...shared,
    id: 'otel-fastify',
    title: `${title} http + @fastify/otel + nestjs-core`,
    platforms: ['fastify'],
    options: { queue: QUEUE },
    core: true,
  },
  {
    ...shared,
    id: 'otel-fastify-hooks',
    title: `${title} http + @fastify/otel with its hooks + nestjs-core`,
    platforms: ['fastify'],
    options: { queue: QUEUE, instrumentations: 'fastify-hooks' },
  },
  {
    ...shared,
    id: 'otel-express',
    title: `${title} http + express + nestjs-core`,
    platforms: ['express'],
    options: { queue: QUEUE },
    core: true,
  },
  {
    ...shared,
    id: 'otel-fastify-1pc',
    title: `${title} http + @fastify/otel + nestjs-core, 1 %`,
    platforms: ['fastify'],
    options: { queue: QUEUE, ratio: 0.01 },
  },
  {
    ...shared,
    id: 'otel-express-1pc',
    title: `${title} http + express + nestjs-core, 1 %`,
    platforms: ['express'],
    options: { queue: QUEUE, ratio: 0.01 },
  },
  {
    ...shared,
    id: 'otel-grpc',
    packages: ['@opentelemetry/instrumentation-grpc'],
    title: `${title} grpc`,
    apps: ['grpc-server', 'grpc-client'],
    options: { queue: QUEUE, instrumentations: 'grpc' },
  },
];
