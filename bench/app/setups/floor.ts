import type { INestApplication } from '@nestjs/common';
import { HandlerInterceptor } from '../floor/handler.interceptor.js';
import { registerProvider } from '../floor/provider.js';
import { tracedMethod } from '../floor/traced-method.js';
import type { BenchOptions, Setup } from '../setup.js';

/** Makes the same spans with the same attributes on the stock SDK, as a competent engineer would write it, and nothing else. */
export default async function floor(options: BenchOptions): Promise<Setup> {
  const provider = registerProvider(options);
  const tracer = provider.getTracer('bench');
  const { app: kind, platform, serverSpanOnly } = options;
  const flush = () => provider.forceFlush();
  if (kind === 'micro') return { flush };
  if (kind === 'grpc-client') {
    const { clientInterceptor } = await import('../floor/grpc-client.js');
    return { clientInterceptors: [clientInterceptor(tracer)], flush };
  }
  if (kind === 'grpc-server') {
    const { serverInterceptor } = await import('../floor/grpc-server.js');
    return {
      serverInterceptors: [serverInterceptor(tracer)],
      prepare: (app) => void app.useGlobalInterceptors(new HandlerInterceptor(tracer)),
      flush,
    };
  }
  const { traceServer } = await import('../floor/http-server.js');
  return {
    ...(!serverSpanOnly && { method: tracedMethod(tracer) }),
    prepare(app) {
      traceServer(app as INestApplication, platform, tracer);
      if (!serverSpanOnly) app.useGlobalInterceptors(new HandlerInterceptor(tracer));
    },
    flush,
  };
}
