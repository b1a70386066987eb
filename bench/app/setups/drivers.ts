import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { MySQL2Instrumentation } from '@opentelemetry/instrumentation-mysql2';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { TypeormInstrumentation } from '@opentelemetry/instrumentation-typeorm';
import { registerProvider } from '../floor/provider.js';
import type { BenchOptions, Setup } from '../setup.js';

/** The stock SDK with OpenTelemetry's instrumentations of the database drivers, which are loaded afterwards. */
export default function drivers(options: BenchOptions): Setup {
  const provider = registerProvider(options);
  registerInstrumentations({
    instrumentations: [
      new IORedisInstrumentation(),
      new MySQL2Instrumentation(),
      new PgInstrumentation(),
      new TypeormInstrumentation(),
    ],
  });
  return { flush: () => provider.forceFlush() };
}
