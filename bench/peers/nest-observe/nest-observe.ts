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
        // Nothing is to be dropped; by default it is after 1000 requests in an interval.
        maxTracesPerBatch: 1_000_000,
        flushInterval: 1_000,
      }),
    ],
    applicationOptions: { instrument: ObserveInstrument },
  };
}
