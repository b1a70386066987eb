import { otelPreload } from '../../support/preload.mjs';
import { QUEUE } from '../../support/queue.mjs';

const frameworks = { fastify: '@fastify/otel', express: 'express' };

export const setups = Object.entries(frameworks).map(([platform, framework]) => ({
  id: `nestjs-otel-${platform}`,
  title: `nestjs-otel's @Span() on OpenTelemetry http + ${framework} + nestjs-core`,
  packages: ['nestjs-otel'],
  setup: 'nestjs-otel',
  nodeArgs: otelPreload.esm,
  platforms: [platform],
  options: { queue: QUEUE },
}));
