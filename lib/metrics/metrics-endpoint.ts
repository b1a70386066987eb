import type { IncomingMessage, ServerResponse } from 'node:http';
import { Req, Res } from '@nestjs/common';
import { describeError, warn } from '../core/diagnostics.js';
import type { Exposition } from './exposition.js';

/** A response of Express or of Node, or what Fastify puts around one. */
type Response = ServerResponse | { readonly raw: ServerResponse; hijack(): unknown };

/**
 * The controller that answers the scrapes of Prometheus. Guards see it as the class that is called, so that what they look for
 * in metadata can be put there.
 *
 * @example
 * ```ts
 * Public()(MetricsEndpoint); // where Public is SetMetadata('isPublic', true), say
 * ```
 */
export class MetricsEndpoint {
  /** @internal */
  constructor(private readonly expose: (accept: string | undefined) => Promise<Exposition>) {}

  /** Writes the metrics to the response. Never rejects. */
  async serve(@Req() request: Pick<IncomingMessage, 'headers'>, @Res() response: Response): Promise<void> {
    const raw = rawResponse(response);
    try {
      const { body, contentType } = await this.expose(request.headers.accept);
      raw.writeHead(200, {
        'content-type': contentType,
        'content-length': Buffer.byteLength(body),
        // A cache must not hand one format to who asks for the other.
        vary: 'accept',
        'cache-control': 'no-store',
      });
      raw.end(body);
    } catch (error) {
      // A collect() function of the application's own metrics.
      warn('metrics', `The metrics could not be collected: ${describeError(error)}`);
      if (!raw.headersSent) raw.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
      raw.end('The metrics could not be collected.\n');
    }
  }
}

// Past what the framework would make of a text: it has its own ideas of content types.
function rawResponse(response: Response): ServerResponse {
  if (!('raw' in response)) return response;
  response.hijack();
  return response.raw;
}
