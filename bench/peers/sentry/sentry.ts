import * as Sentry from '@sentry/nestjs';
import { SentryModule } from '@sentry/nestjs/setup';
import type { Setup } from '../setup.js';

export default (): Setup => ({
  imports: [SentryModule.forRoot()],
  method: Sentry.SentryTraced(),
  async flush() {
    await Sentry.flush(10_000);
  },
});
