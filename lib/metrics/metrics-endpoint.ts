import type { IncomingMessage, ServerResponse } from 'node:http';
import { Req, Res } from '@nestjs/common';
import { describeError, warn } from '../core/diagnostics.js';
import type { Exposition } from './exposition.js';

/** The response of Express or Node, or Fastify's wrapper around it. */
type AdapterResponse = ServerResponse | { readonly raw: ServerResponse; hijack(): unknown };

/**
 * The controller that answers the scrapes of Prometheus. It is the class that guards get from the execution context, so the
 * metadata that they look for can be set on it.
 *
 * @example
 * ```ts
 * Public()(MetricsEndpoint); // with: const Public = () => SetMetadata('isPublic', true)
 * ```
 */
export class MetricsEndpoint {
  /** @internal */
  constructor(private readonly expose: (accept: string | undefined) => Promise<Exposition>) {}

  /** Writes the metrics to the response. Never rejects. */
  async serve(@Req() request: Pick<IncomingMessage, 'headers'>, @Res() response: AdapterResponse): Promise<void> {
    const raw = rawResponse(response);
    try {
      const { body, contentType } = await this.expose(request.headers.accept);
      raw.writeHead(200, {
        'content-type': contentType,
        'content-length': Buffer.byteLength(body),
        // A cache must not return one format to a scraper that asks for the other.
        vary: 'accept',
        'cache-control': 'no-store',
      });
      raw.end(body);
    } catch (error) {
      // For example, a collect() function of one of the application's metrics has thrown.
      warn('metrics', `The metrics could not be collected: ${describeError(error)}`);
      if (!raw.headersSent) raw.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
      raw.end('The metrics could not be collected.\n');
    }
  }
}

/** The response of Node: Express and Fastify would change the content type of a text. */
function rawResponse(response: AdapterResponse): ServerResponse {
  if (!('raw' in response)) return response;
  response.hijack();
  return response.raw;
}
