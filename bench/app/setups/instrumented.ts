import type { Setup } from '../setup.js';

/** The application with a preload of OpenTelemetry's instrumentations. */
export default (): Setup => ({ flush: flushInstrumentations });

export async function flushInstrumentations(): Promise<void> {
  await (globalThis as { [key: symbol]: (() => Promise<void>) | undefined })[Symbol.for('bench.flush')]?.();
}
