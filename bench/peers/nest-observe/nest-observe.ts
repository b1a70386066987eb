import { createObserveModule } from '@nestjs/observe';
import type { BenchOptions, Setup } from '../setup.js';

export default function nestObserve({ endpoint }: BenchOptions): Setup {
  const { ObserveInstrument, ObserveModule } = createObserveModule();
  return {
    imports: [
      ObserveModule.forRoot({
        appKey: 'bench',
        appSecret: 'bench',
        serviceId: 'bench',
        endpoint,
        // Nothing may be dropped. By default, requests after the first 1000 in an interval are dropped.
        maxTracesPerBatch: 1_000_000,
        flushInterval: 1_000,
      }),
    ],
    applicationOptions: { instrument: ObserveInstrument },
  };
}
