import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { All, Controller } from '@nestjs/common';
import { SpanKind } from '@opentelemetry/api';
import { TracingService } from 'nestjs-tracing';
import { httpPlatforms, untraced, withHttpApp } from '../support/http-app.js';
import { Scrape } from '../support/scrape.js';
import { handler, server } from '../support/trace-tree.js';

const VARIABLE = 'OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS';

@Controller()
class FilesController {
  @All('files')
  any() {
    return 'x';
  }
}

describe.each(httpPlatforms)(`${VARIABLE} on %s`, (platform) => {
  const before = process.env[VARIABLE];
  beforeAll(() => {
    process.env[VARIABLE] = 'GET, PROPFIND';
  });
  afterAll(() => {
    if (before === undefined) delete process.env[VARIABLE];
    else process.env[VARIABLE] = before;
  });

  it('replaces the methods that spans and metrics name, on both sides', async () => {
    const options = { controllers: [FilesController], tracing: { http: { client: {} }, metrics: {} } };
    await withHttpApp(platform, options, async ({ app, request, traces, url }) => {
      const send = (method: string) => request('/files', { method });
      await send('PROPFIND');
      const named = { 'http.request.method': 'PROPFIND', 'http.request.method_original': undefined };
      const any = handler('FilesController.any');
      await traces.expect(server('PROPFIND /files', { code: 200, attributes: named }, any));
      await send('DELETE');
      const other = { 'http.request.method': '_OTHER', 'http.request.method_original': 'DELETE' };
      await traces.expect(server('HTTP /files', { code: 200, attributes: other }, any));

      const outgoing = (method: string) =>
        app.get(TracingService).span(method, async () => (await fetch(`${url}/files`, { method })).text());
      await outgoing('PROPFIND');
      await outgoing('DELETE');
      await traces.until((spans) => spans.length === 8);
      const clients = traces.spans.filter(({ name }) => ['PROPFIND', 'HTTP', 'DELETE'].includes(name));
      expect(clients.filter(({ kind }) => kind === SpanKind.CLIENT).map(({ name }) => name)).toEqual([
        'PROPFIND',
        'HTTP',
      ]);

      const scrape = await untraced(() => Scrape.counted(`${url}/metrics`, 'http_server_request_duration_seconds', 4));
      const count = (side: string, method: string) =>
        scrape.value(`http_${side}_request_duration_seconds_count`, { http_request_method: method });
      expect(['PROPFIND', '_OTHER'].map((method) => [count('server', method), count('client', method)])).toEqual([
        [2, 1],
        [2, 1],
      ]);
    });
  });
});
