import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { context, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import { finalize, tap, type Observable } from 'rxjs';

/** Makes a span for each handler, as blog posts show it. */
export class HandlerInterceptor implements NestInterceptor {
  constructor(private readonly tracer: Tracer) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const name = `${execution.getClass().name}.${execution.getHandler().name}`;
    const span = this.tracer.startSpan(name, { attributes: { 'code.function.name': name } });
    // Nest runs the handler in the context in which handle() is called.
    return context
      .with(trace.setSpan(context.active(), span), () => next.handle())
      .pipe(
        tap({
          error: (error: Error) => {
            span.recordException(error);
            span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
          },
        }),
        finalize(() => span.end()),
      );
  }
}
