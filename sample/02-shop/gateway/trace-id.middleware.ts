import type { ServerResponse } from 'node:http';
import { Injectable, type NestMiddleware } from '@nestjs/common';
import { TracingService } from 'nestjs-tracing';

/** Tells the caller the trace id, to be quoted when something went wrong. */
@Injectable()
export class TraceIdMiddleware implements NestMiddleware {
  constructor(private readonly tracing: TracingService) {}

  use(_request: unknown, response: ServerResponse, next: () => void): void {
    const { traceId } = this.tracing;
    if (traceId) response.setHeader('x-trace-id', traceId);
    next();
  }
}
