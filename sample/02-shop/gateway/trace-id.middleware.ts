import type { ServerResponse } from 'node:http';
import { Injectable, type NestMiddleware } from '@nestjs/common';
import { TracingService } from 'nestjs-tracing';

/** Sends the trace id to the caller, who can quote it in an error report. */
@Injectable()
export class TraceIdMiddleware implements NestMiddleware {
  constructor(private readonly tracing: TracingService) {}

  use(_request: unknown, response: ServerResponse, next: () => void): void {
    const { traceId } = this.tracing;
    if (traceId) response.setHeader('x-trace-id', traceId);
    next();
  }
}
