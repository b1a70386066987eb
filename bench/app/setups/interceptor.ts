import type { CallHandler, ExecutionContext } from '@nestjs/common';
import type { Setup } from '../setup.js';

/** One interceptor that does nothing: what Nest takes for calling it. */
export default (): Setup => ({
  prepare(app) {
    app.useGlobalInterceptors({ intercept: (_context: ExecutionContext, next: CallHandler) => next.handle() });
  },
});
