import process from 'node:process';
import * as Sentry from '@sentry/nestjs';
import type { BenchOptions } from '../setup.js';

const { endpoint } = JSON.parse(process.env.BENCH ?? '{}') as BenchOptions;

Sentry.init({
  dsn: `${endpoint.replace('://', '://key@')}/1`,
  tracesSampleRate: 1,
  // Nothing may be dropped. By default, spans are dropped while 64 requests to the backend are open.
  transportOptions: { bufferSize: 65_536 },
});
