import type { IncomingMessage } from 'node:http';
import { Injectable, type NestMiddleware } from '@nestjs/common';
import { context, propagation } from '@opentelemetry/api';

/** Puts the tenant into the baggage, which travels with the trace to every service behind this one. */
@Injectable()
export class TenantMiddleware implements NestMiddleware {
  use(request: IncomingMessage, _response: unknown, next: () => void): void {
    const tenant = request.headers['x-tenant-id'];
    if (typeof tenant !== 'string') return next();
    // Made anew: at the public edge nothing is taken over from what the caller may have sent as baggage.
    const baggage = propagation.createBaggage({ 'tenant.id': { value: tenant } });
    context.with(propagation.setBaggage(context.active(), baggage), next);
  }
}
