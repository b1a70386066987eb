/**
 * The usual preload: the SDK with its own instrumentations, as OpenTelemetry's documentation shows it for ES modules.
 * The variable STOCK selects the instrumentations.
 */
import { register } from 'node:module';
import { GrpcInstrumentation } from '@opentelemetry/instrumentation-grpc';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { NodeSDK } from '@opentelemetry/sdk-node';

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);

const stock = {
  http: () => new HttpInstrumentation(),
  undici: () => new UndiciInstrumentation(),
  grpc: () => new GrpcInstrumentation(),
};
const names = (process.env.STOCK ?? '').split(',').filter(Boolean) as (keyof typeof stock)[];
const sdk = new NodeSDK({ instrumentations: names.map((name) => stock[name]()) });
sdk.start();

process.once('SIGTERM', () => {
  void sdk.shutdown().finally(() => process.exit(0));
});
