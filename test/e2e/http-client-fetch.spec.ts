import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { constants, createSecureServer, type IncomingHttpHeaders } from 'node:http2';
import { PassThrough, Readable } from 'node:stream';
import * as undici from 'undici';
import {
  broken,
  cancelled,
  client,
  clientSpans,
  expectBare,
  expectCarried,
  freePort,
  runOf,
  withClientApp,
} from '../support/client-app.js';
import { certificate, privateKey } from '../support/certificate.js';

/** The fetch of Node and the fetch of the package undici, which use the same channel names. */
const fetches = [
  ['fetch()', fetch],
  ['fetch() of undici', undici.fetch],
] as const;

describe.each(fetches)('%s', (_name, fetch) => {
  it('is a client span below its caller, and carries it', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => (await fetch(`${target.url}/ok?page=2&token=abc`)).text());
      await traces.until((spans) => spans.length === 3);
      expectCarried(target.only('/ok?page=2&token=abc'), clientSpans(traces.spans)[0]);
      await traces.expect(
        runOf(
          client('GET', 200, {
            attributes: {
              'url.full': `${target.url}/ok?page=2&token=REDACTED`,
              'server.address': '127.0.0.1',
              'server.port': target.port,
              'network.peer.address': '127.0.0.1',
              'network.peer.port': target.port,
              'network.protocol.version': '1.1',
              'http.request.method_original': undefined,
            },
          }),
        ),
      );
    });
  });

  it.each([
    [404, '404'],
    [500, '500'],
  ])('of an answer %i is an error', async (code, type) => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => (await fetch(`${target.url}/status/${code}`, { method: 'POST', body: 'x' })).text());
      await traces.expect(runOf(client('POST', code, { status: 'ERROR', attributes: { 'error.type': type } })));
    });
  });

  it('has a span for each redirect, side by side', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => (await fetch(`${target.url}/redirect/redirect/status/204`)).text());
      await traces.until((spans) => spans.length === 5);
      const [first, second, third] = clientSpans(traces.spans);
      expectCarried(target.only('/redirect/redirect/status/204'), first);
      expectCarried(target.only('/redirect/status/204'), second);
      expectCarried(target.only('/status/204'), third);
      await traces.expect(runOf(client('GET', 302), client('GET', 302), client('GET', 204)));
    });
  });

  it('names a method that is not known HTTP', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => (await fetch(`${target.url}/status/200`, { method: 'PROPFIND' })).text());
      const attributes = { 'http.request.method': '_OTHER', 'http.request.method_original': 'PROPFIND' };
      await traces.expect(runOf({ ...client('_OTHER', 200, { attributes }), name: 'HTTP' }));
    });
  });

  it('takes HEAD', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(() => fetch(`${target.url}/ok`, { method: 'HEAD' }));
      await traces.expect(runOf(client('HEAD', 200)));
    });
  });

  it('lasts as long as its answer streams', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => {
        const response = await fetch(`${target.url}/half`, { method: 'PUT' });
        expect(traces.open).toContain('PUT');
        const reader = response.body!.getReader();
        await reader.read();
        expect(traces.open).toContain('PUT');
        target.cut('/half', 'close');
        await expect(reader.read()).rejects.toThrow('terminated');
      });
      await traces.expect(runOf(broken('PUT', 200, 'UND_ERR_SOCKET', 'SocketError: other side closed')));
    });
  });

  it('sends and gets a body in a stream as it does without tracing', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      const sent = await run(async () => {
        const body = Readable.toWeb(Readable.from([Buffer.from('ab'), Buffer.from('cd')])) as unknown as ReadableStream;
        const response = await fetch(`${target.url}/echo`, { method: 'POST', body, duplex: 'half' as const });
        return response.text();
      });
      expect(sent).toBe('abcd');
      await traces.expect(runOf(client('POST', 200)));
    });
  });

  it('ends when the server answers before the upload is done', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => {
        async function* endless() {
          for (;;) yield await Promise.resolve(Buffer.alloc(65_536));
        }
        const body = Readable.toWeb(Readable.from(endless())) as unknown as ReadableStream;
        const init = { method: 'POST', body, duplex: 'half' as const };
        await fetch(`${target.url}/refuse-body`, init).then((response) => response.text());
      }).catch(() => {});
      await traces.until((spans) => spans.length === 3);
      expect(traces.open).toEqual([]);
      expect(clientSpans(traces.spans)[0]?.status.code).toBe(2);
    });
  });

  it('fails when the upload fails', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      async function* failing() {
        yield await Promise.resolve(Buffer.from('a'));
        throw new RangeError('no more');
      }
      const body = Readable.toWeb(Readable.from(failing())) as unknown as ReadableStream;
      const init = { method: 'POST', body, duplex: 'half' as const };
      await expect(run(() => fetch(`${target.url}/echo`, init))).rejects.toThrow('fetch failed');
      await traces.until((spans) => spans.length === 3);
      expect(clientSpans(traces.spans)[0]?.attributes['error.type']).toBe('RangeError');
    });
  });

  it('ends although the application does not read the answer, if that is short', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => (await fetch(`${target.url}/ok`)).status);
      await traces.expect(runOf(client('GET', 200)));
    });
  });

  it('is left unset where the caller cancels the body', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => (await fetch(`${target.url}/big`)).body!.cancel());
      await traces.expect(runOf(cancelled('GET', 200)));
    });
  });

  it('is left unset where the caller aborts before an answer', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      const aborted = run(async () => {
        const controller = new AbortController();
        const answer = fetch(`${target.url}/hang`, { signal: controller.signal });
        await target.reached('/hang');
        controller.abort();
        await answer;
      });
      await expect(aborted).rejects.toThrow('abort');
      await traces.expect(runOf(cancelled('GET')));
    });
  });

  it('is left unset where the caller aborts with a reason of another kind', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      const aborted = run(async () => {
        const controller = new AbortController();
        const answer = fetch(`${target.url}/hang`, { signal: controller.signal });
        await target.reached('/hang');
        controller.abort('the user left');
        await answer;
      });
      await expect(aborted).rejects.toBe('the user left');
      await traces.expect(runOf(cancelled('GET')));
    });
  });

  it('is left unset where the caller aborts during the answer', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      const aborted = run(async () => {
        const controller = new AbortController();
        const response = await fetch(`${target.url}/half`, { signal: controller.signal });
        controller.abort();
        await response.text();
      });
      await expect(aborted).rejects.toThrow('abort');
      await traces.expect(runOf(cancelled('GET', 200)));
    });
  });

  it('fails when it takes too long', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      const late = run(async () => {
        const controller = new AbortController();
        const answer = fetch(`${target.url}/hang`, { signal: controller.signal });
        await target.reached('/hang');
        // This is the exception of AbortSignal.timeout().
        controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
        await answer;
      });
      await expect(late).rejects.toThrow('timeout');
      await traces.until((spans) => spans.length === 3);
      const [span] = clientSpans(traces.spans);
      expect(span).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'TimeoutError' } });
      expect(traces.open).toEqual([]);
    });
  });

  it('fails if the port is closed', async () => {
    await withClientApp({}, async ({ run, traces }) => {
      const port = await freePort();
      await expect(run(() => fetch(`http://127.0.0.1:${port}/`))).rejects.toThrow('fetch failed');
      const message = `connect ECONNREFUSED 127.0.0.1:${port}`;
      await traces.expect(runOf(broken('GET', undefined, 'ECONNREFUSED', `Error: ${message}`)));
    });
  });

  it('fails when the server closes or resets the connection', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await expect(run(() => fetch(`${target.url}/close`))).rejects.toThrow('fetch failed');
      await traces.expect(runOf(broken('GET', undefined, 'UND_ERR_SOCKET', 'SocketError: other side closed')));
      await expect(run(() => fetch(`${target.url}/reset`))).rejects.toThrow('fetch failed');
      await traces.expect(runOf(broken('GET', undefined, 'ECONNRESET', 'Error: read ECONNRESET')));
    });
  });

  it('takes headers in each form', async () => {
    const options = { requestHeaders: ['x-many', 'authorization'], responseHeaders: ['x-answer', 'set-cookie'] };
    await withClientApp({ client: options }, async ({ run, target, traces }) => {
      const headers: [string, string][] = [
        ['x-many', '1'],
        ['x-many', '2'],
        ['authorization', 'secret'],
      ];
      await run(async () => (await fetch(`${target.url}/ok`, { headers })).text());
      const attributes = {
        'http.request.header.x-many': ['1, 2'],
        'http.request.header.authorization': ['REDACTED'],
        'http.response.header.x-answer': ['yes'],
        'http.response.header.set-cookie': ['REDACTED', 'REDACTED'],
      };
      await traces.expect(runOf(client('GET', 200, { attributes })));
    });
  });

  it('gives requests made outside of any request a trace of their own', async () => {
    await withClientApp({}, async ({ target, traces }) => {
      await (await fetch(`${target.url}/ok`)).text();
      await traces.until((spans) => spans.length === 1);
      expectCarried(target.only('/ok'), traces.spans[0]);
      await traces.expect(client('GET', 200));
    });
  });
});

describe('undici', () => {
  it('has a client span for request(), stream() and pipeline()', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => {
        const { body } = await undici.request(`${target.url}/ok/1`, { headers: { a: ['1', '2'] } });
        await body.text();
        await undici.stream(`${target.url}/ok/2`, { method: 'GET' }, () => new PassThrough().resume());
        const pipeline = undici.pipeline(`${target.url}/echo`, { method: 'POST' }, ({ body }) => body);
        await once(pipeline.end('x').resume(), 'end');
      });
      await traces.until((spans) => spans.length === 5);
      const [first, second, third] = clientSpans(traces.spans);
      expectCarried(target.only('/ok/1'), first);
      expectCarried(target.only('/ok/2'), second);
      expectCarried(target.only('/echo'), third);
      await traces.expect(runOf(client('GET', 200), client('GET', 200), client('POST', 200)));
    });
  });

  it('tells a body that the caller destroys from one that the server cuts', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => {
        const { body } = await undici.request(`${target.url}/half`);
        const closed = new Promise((resolve) => body.on('error', () => {}).once('close', resolve));
        body.destroy();
        await closed;
      });
      await traces.expect(runOf(cancelled('GET', 200)));
    });
  });

  describe.each([
    [
      'request()',
      async (url: string, dispatcher: undici.Dispatcher) => (await undici.request(url, { dispatcher })).body,
    ],
    ['fetch()', async (url: string, dispatcher: undici.Dispatcher) => undici.fetch(url, { dispatcher })],
  ])('retried, by %s', (_kind, send) => {
    const retry = { maxRetries: 1, minTimeout: 1 };
    it.each([
      ['an interceptor', () => new undici.Agent().compose(undici.interceptors.retry(retry))],
      ['a RetryAgent', () => new undici.RetryAgent(new undici.Agent(), retry)],
    ])('of %s, says the status of each attempt', async (_name, make) => {
      await withClientApp({}, async ({ run, target, traces }) => {
        const dispatcher = make();
        await run(async () => {
          await send(`${target.url}/status/503`, dispatcher)
            .then((body) => body.text())
            .catch(() => {});
        });
        await traces.until((spans) => spans.length === 4);
        const attempts = target.received.map(({ headers }) => String(headers.traceparent).split('-')[2]);
        expect(attempts).toEqual(clientSpans(traces.spans).map((span) => span.spanContext().spanId));
        await traces.expect(runOf(client('GET', 503), client('GET', 503)));
        await dispatcher.close();
      });
    });
  });

  it('says the status of an answer that is cut, and why it was', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => {
        const { body, statusCode } = await undici.request(`${target.url}/half/503`);
        expect(statusCode).toBe(503);
        const read = body.text();
        target.cut('/half/503', 'close');
        await expect(read).rejects.toThrow('other side closed');
      });
      const attributes = { 'error.type': '503' };
      const exception = 'SocketError: other side closed';
      await traces.expect(runOf({ ...broken('GET', 503, '503', exception), attributes }));
    });
  });

  it('says which of its limits was reached', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await expect(run(() => undici.request(`${target.url}/hang`, { headersTimeout: 1 }))).rejects.toThrow('Headers');
      const message = 'HeadersTimeoutError: Headers Timeout Error';
      await traces.expect(runOf(broken('GET', undefined, 'UND_ERR_HEADERS_TIMEOUT', message)));
    });
  });

  it('keeps requests that wait for a connection in the trace of their caller', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      const dispatcher = new undici.Agent({ connections: 2 });
      const paths = Array.from({ length: 12 }, (_, index) => `/ok/${index}`);
      const send = async (path: string) => {
        const { body } = await undici.request(target.url + path, { dispatcher });
        await body.text();
      };
      await Promise.all(paths.map((path) => run(() => send(path))));
      await traces.until((spans) => spans.length === paths.length * 3);
      for (const span of clientSpans(traces.spans)) {
        expectCarried(target.only(new URL(String(span.attributes['url.full'])).pathname), span);
      }
      await traces.expect(...paths.map(() => runOf(client('GET', 200))));
      await dispatcher.close();
    });
  });

  it('is traced over HTTP/2', async () => {
    const received: IncomingHttpHeaders[] = [];
    const server = createSecureServer({ key: privateKey, cert: certificate }, (request, response) => {
      received.push(request.headers);
      response.setHeader('x-answer', 'yes');
      if (request.url !== '/cut') response.end('hello');
      else response.write('part', () => response.stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const dispatcher = new undici.Agent({ allowH2: true, connect: { ca: certificate } });
    await withClientApp({ client: { responseHeaders: ['x-answer'] } }, async ({ run, traces }) => {
      const url = `https://127.0.0.1:${port}`;
      await run(async () => (await undici.fetch(`${url}/ok`, { dispatcher })).text());
      await traces.until((spans) => spans.length === 3);
      expect(received[0]![':method']).toBe('GET');
      expect(received[0]!.traceparent).toContain(clientSpans(traces.spans)[0]!.spanContext().spanId);
      const attributes = { 'url.full': `${url}/ok`, 'server.port': port, 'http.response.header.x-answer': ['yes'] };
      await traces.expect(runOf(client('GET', 200, { attributes })));

      const cut = run(async () => (await undici.fetch(`${url}/cut`, { dispatcher })).text());
      await expect(cut).rejects.toThrow('terminated');
      await traces.until((spans) => spans.length === 3);
      expect(clientSpans(traces.spans)[0]!.attributes['error.type']).toBe('ERR_HTTP2_STREAM_ERROR');
    });
    await dispatcher.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('leaves connections alone that are taken over for another protocol', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => {
        const upgraded = await undici.upgrade(`${target.url}/upgrade`, { protocol: 'echo' });
        const tunnel = await undici.connect(`${target.url}/tunnel`);
        for (const { socket } of [upgraded, tunnel]) socket.on('error', () => {}).destroy();
      });
      expect(target.received).toHaveLength(2);
      for (const received of target.received) expectBare(received);
      await traces.expect(runOf());
    });
  });
});
