import { TracingConfigurationError } from '../tracing.errors.js';
import type { TracingOptions } from '../tracing.options.js';
import { checkKeys } from './check-keys.js';

/**
 * Every option, and whether it shapes the tracer provider or the rest of the application. An option of the provider has no
 * effect where another SDK has registered one.
 */
export const OPTIONS: Readonly<Record<keyof TracingOptions, 'provider' | 'application'>> = {
  enabled: 'application',
  serviceName: 'provider',
  serviceVersion: 'provider',
  resource: 'provider',
  exporter: 'provider',
  batch: 'provider',
  sampler: 'provider',
  propagators: 'provider',
  baggage: 'application',
  spanAttributes: 'provider',
  limits: 'provider',
  spanProcessors: 'provider',
  tracer: 'provider',
  http: 'application',
  grpc: 'application',
  response: 'application',
  messaging: 'application',
  data: 'application',
  jobs: 'application',
  websockets: 'application',
  graphql: 'application',
  events: 'application',
  nest: 'application',
  metrics: 'application',
  logs: 'application',
  shutdown: 'application',
};

/**
 * Checks that the options are an object with known keys only, and returns them.
 *
 * @throws TracingConfigurationError
 */
export function checkOptions(options: TracingOptions | undefined): Partial<TracingOptions> {
  if (options === undefined) {
    const fix =
      'Return an object from the factory, {} for the defaults. A registerAs() namespace has to be loaded first.';
    throw new TracingConfigurationError('options', options, fix);
  }
  return checkKeys<TracingOptions>('', options, OPTIONS);
}
