import { otelPreload } from '../../support/preload.mjs';
import { QUEUE } from '../../support/queue.mjs';

/** These set-ups have their own groups, because their bare application is another one. */
const shared = { apps: ['classic'], commonjs: true, options: { queue: QUEUE } };

export const setups = [
  { ...shared, peer: false, id: 'bare', title: 'bare', setup: 'bare', spans: 0 },
  { ...shared, peer: false, id: 'ours-3', title: 'nestjs-tracing, 3 spans', setup: 'ours', spans: 3 },
  { ...shared, peer: false, id: 'floor-3', title: 'by hand on the stock SDK, 3 spans', setup: 'floor', spans: 3 },
  {
    ...shared,
    id: 'otel-fastify',
    title: 'OpenTelemetry http + fastify + nestjs-core',
    setup: 'instrumented',
    nodeArgs: otelPreload.commonjs,
    platforms: ['fastify'],
    options: { queue: QUEUE, instrumentations: 'fastify-classic' },
  },
  {
    ...shared,
    id: 'otel-fastify-otel',
    title: 'OpenTelemetry http + @fastify/otel + nestjs-core',
    setup: 'instrumented',
    nodeArgs: otelPreload.commonjs,
    platforms: ['fastify'],
  },
  {
    ...shared,
    id: 'otel-express',
    title: 'OpenTelemetry http + express + nestjs-core',
    setup: 'instrumented',
    nodeArgs: otelPreload.commonjs,
    platforms: ['express'],
  },
];
