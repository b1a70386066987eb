import type { CallHandler, ExecutionContext } from '@nestjs/common';
import type { Setup } from '../setup.js';

/** One interceptor that does nothing, to measure the time that Nest needs to call it. */
export default (): Setup => ({
  prepare(app) {
    app.useGlobalInterceptors({ intercept: (_context: ExecutionContext, next: CallHandler) => next.handle() });
  },
});
