import { query } from './data-app.js';
import type { RedisServer } from './redis-server.js';
import type { ExpectedSpan } from './trace-tree.js';

/** The span of a command of Redis. */
export function command(
  { port }: Pick<RedisServer, 'port'>,
  name: string,
  details: Partial<ExpectedSpan> = {},
): ExpectedSpan {
  const { attributes, ...rest } = details;
  return query(
    name,
    {
      'db.system.name': 'redis',
      'db.operation.name': name,
      'db.namespace': '0',
      'db.query.summary': undefined,
      'db.collection.name': undefined,
      'server.address': '127.0.0.1',
      'server.port': port,
      'db.response.status_code': undefined,
      'error.type': undefined,
      ...attributes,
    },
    rest,
  );
}

/** A command that Redis has answered with an error, of this prefix. */
export function failedCommand(server: Pick<RedisServer, 'port'>, name: string, prefix: string): ExpectedSpan {
  const attributes = { 'error.type': prefix, 'db.response.status_code': prefix };
  return command(server, name, { status: 'ERROR', attributes });
}

/** Returns everything that the spans export, as text. */
export function exportedText(
  spans: readonly { name: string; attributes: object; events: object; status: object; links: object }[],
): string {
  return JSON.stringify(
    spans.map(({ attributes, events, links, name, status }) => ({ attributes, events, links, name, status })),
  );
}
