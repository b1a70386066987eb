import { SpanStatusCode, type Tracer } from '@opentelemetry/api';

type AsyncMethod = (...args: unknown[]) => Promise<unknown>;

/** Makes a span for each call of an async method. */
export function tracedMethod(tracer: Tracer): MethodDecorator {
  return (target, key, descriptor) => {
    const name = `${target.constructor.name}.${String(key)}`;
    const options = { attributes: { 'code.function.name': name } };
    const method = descriptor.value as AsyncMethod;
    const traced = function (this: unknown, ...args: unknown[]) {
      return tracer.startActiveSpan(name, options, async (span) => {
        try {
          return await method.apply(this, args);
        } catch (error) {
          span.recordException(error as Error);
          span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
          throw error;
        } finally {
          span.end();
        }
      });
    };
    descriptor.value = traced as typeof descriptor.value;
  };
}
