import type { IncomingMessage } from 'node:http';
import { Injectable, type NestMiddleware } from '@nestjs/common';
import { context, propagation } from '@opentelemetry/api';

/** Puts the tenant into the baggage, which is propagated with the trace to all services behind this one. */
@Injectable()
export class TenantMiddleware implements NestMiddleware {
  use(request: IncomingMessage, _response: unknown, next: () => void): void {
    const tenant = request.headers['x-tenant-id'];
    if (typeof tenant !== 'string') return next();
    // A new baggage: at the public edge, the baggage of the caller is not adopted.
    const baggage = propagation.createBaggage({ 'tenant.id': { value: tenant } });
    context.with(propagation.setBaggage(context.active(), baggage), next);
  }
}
