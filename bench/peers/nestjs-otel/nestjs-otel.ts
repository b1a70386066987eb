import { OpenTelemetryModule, Span } from 'nestjs-otel';
import { flushInstrumentations } from './instrumented.js';
import type { Setup } from '../setup.js';

export default (): Setup => ({
  imports: [OpenTelemetryModule.forRoot()],
  method: Span(),
  flush: flushInstrumentations,
});
