import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { MySQL2Instrumentation } from '@opentelemetry/instrumentation-mysql2';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { registerProvider } from '../floor/provider.js';
import type { BenchOptions, Setup } from '../setup.js';

/** The stock SDK with OpenTelemetry's instrumentations of the database drivers, which are loaded afterwards. */
export default function drivers(options: BenchOptions): Setup {
  const provider = registerProvider(options);
  registerInstrumentations({ instrumentations: [new MySQL2Instrumentation(), new PgInstrumentation()] });
  return { flush: () => provider.forceFlush() };
}
