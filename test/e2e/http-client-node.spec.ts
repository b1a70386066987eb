import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import {
  Agent,
  ClientRequest,
  get as httpGet,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import {
  broken,
  cancelled,
  client,
  clientSpans,
  expectBare,
  expectCarried,
  freePort,
  nodePropagates,
  runOf,
  withClientApp,
} from '../support/client-app.js';
import { certificate } from '../support/certificate.js';
import { HttpTarget } from '../support/http-target.js';

/** Sends a request and reads its answer to the end. */
async function send(url: string, options: RequestOptions = {}, body?: string): Promise<string> {
  const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(url, options);
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });
  request.end(body);
  const chunks: Buffer[] = [];
  for await (const chunk of await response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Sends a request whose failure is ignored. Returns the request. */
function open(url: string, options: RequestOptions = {}): ClientRequest {
  return (url.startsWith('https:') ? httpsRequest : httpRequest)(url, options).on('error', () => {});
}

async function closed(request: ClientRequest): Promise<void> {
  if (!request.closed) await new Promise((resolve) => request.once('close', resolve));
}

async function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response.on('error', () => {});
}

describe('node:http', () => {
  it('is a client span below its caller, and carries it', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(() => send(`${target.url}/ok?page=2&token=abc`, { auth: 'user:secret' }));
      await traces.until((spans) => spans.length === 3);
      const received = target.only('/ok?page=2&token=abc');
      if (nodePropagates) expectCarried(received, clientSpans(traces.spans)[0]);
      else expectBare(received);
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
            },
          }),
        ),
      );
    });
  });

  it('is traced over TLS', async () => {
    const secure = await HttpTarget.start('https');
    await withClientApp({}, async ({ run, traces }) => {
      await run(() => send(`${secure.url}/ok`, { ca: certificate } as RequestOptions));
      await traces.until((spans) => spans.length === 3);
      if (nodePropagates) expectCarried(secure.only('/ok'), clientSpans(traces.spans)[0]);
      const attributes = { 'url.full': `${secure.url}/ok`, 'server.port': secure.port };
      await traces.expect(runOf(client('GET', 200, { attributes })));

      await run(async () => {
        const request = open(`${secure.url}/half`, { ca: certificate } as RequestOptions).end();
        const response = await responseOf(request);
        await once(response, 'data');
        secure.cut('/half', 'close');
        await closed(request);
      });
      await traces.expect(runOf(broken('GET', 200, 'ECONNRESET', 'Error: aborted')));
    });
    await secure.stop();
  });

  it('says why TLS failed', async () => {
    const secure = await HttpTarget.start('https');
    await withClientApp({}, async ({ run, traces }) => {
      await expect(run(() => send(`${secure.url}/ok`))).rejects.toThrow('self-signed certificate');
      await traces.until((spans) => spans.length === 3);
      const [span] = clientSpans(traces.spans);
      expect(span).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'DEPTH_ZERO_SELF_SIGNED_CERT' } });
    });
    await secure.stop();
  });

  it('is traced over a socket in the file system', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nestjs-tracing-'));
    const socketPath = join(folder, 'target.sock');
    const local = await HttpTarget.start('http', socketPath);
    await withClientApp({}, async ({ run, traces }) => {
      await run(() => send('http://localhost/ok', { socketPath }));
      const attributes = {
        'url.full': 'http://localhost/ok',
        'server.address': socketPath,
        'server.port': undefined,
      };
      await traces.expect(runOf(client('GET', 200, { attributes })));
    });
    await local.stop();
    rmSync(folder, { recursive: true });
  });

  it('takes the URL that a proxy is sent, without its credentials, and the address of the proxy', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      const path = 'http://user:secret@shop.test:81/ok?sig=x';
      await run(() => send(target.url, { path, headers: { host: 'shop.test:81' } }));
      const attributes = {
        'url.full': 'http://REDACTED:REDACTED@shop.test:81/ok?sig=REDACTED',
        'server.address': '127.0.0.1',
        'server.port': target.port,
        'network.peer.port': target.port,
      };
      await traces.expect(runOf(client('GET', 200, { attributes })));
    });
  });

  it('goes where it is sent, whatever its Host header says', async () => {
    const headers = [{ host: 'shop.test:81' }, { Host: '127.0.0.1:9' }, ['Host', 'shop.test:81']];
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => {
        for (const each of headers)
          await send(`${target.url}/ok`, { headers: each as unknown as RequestOptions['headers'] });
      });
      const attributes = {
        'url.full': `${target.url}/ok`,
        'server.address': '127.0.0.1',
        'server.port': target.port,
      };
      await traces.expect(runOf(...headers.map(() => client('GET', 200, { attributes }))));
    });
  });

  it.each([404, 500])('of an answer %i is an error', async (code) => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(() => send(`${target.url}/status/${code}`, { method: 'DELETE' }));
      await traces.expect(runOf(client('DELETE', code)));
    });
  });

  it('traces HEAD requests, and answers without a listener', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => {
        await send(`${target.url}/ok`, { method: 'HEAD' });
        await closed(open(`${target.url}/ok`).end());
      });
      await traces.expect(runOf(client('HEAD', 200), client('GET', 200)));
    });
  });

  it('sends and gets a body in pieces as it does without tracing', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => {
        const request = open(`${target.url}/echo`, { method: 'POST' });
        request.write('ab');
        const response = await responseOf(request);
        const chunks: string[] = [];
        for await (const chunk of response.setEncoding('utf8')) {
          chunks.push(chunk as string);
          if (chunks.length === 1) request.end('cd');
        }
        expect(chunks).toEqual(['ab', 'cd']);
      });
      await traces.expect(runOf(client('POST', 200)));
    });
  });

  it('ends when the server answers before the upload is done', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => {
        const request = open(`${target.url}/refuse-body`, { method: 'POST' });
        request.write('a');
        (await responseOf(request)).resume();
        request.end('b');
        await closed(request);
      });
      await traces.expect(runOf(client('POST', 413)));
    });
  });

  it('ends with a connection that is taken over for another protocol', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => {
        const request = open(`${target.url}/upgrade`, { headers: { connection: 'upgrade', upgrade: 'echo' } }).end();
        const [, socket] = (await once(request, 'upgrade')) as [IncomingMessage, Socket];
        socket.on('error', () => {}).destroy();
      });
      await traces.until((spans) => spans.length === 3);
      if (nodePropagates) expectCarried(target.only('/upgrade'), clientSpans(traces.spans)[0]);
      await traces.expect(runOf(client('GET', 101, { attributes: { 'network.peer.port': target.port } })));
    });
  });

  it('leaves a tunnel alone', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => {
        const request = open(target.url, { method: 'CONNECT', path: 'shop.test:443' }).end();
        const [, socket] = (await once(request, 'connect')) as [IncomingMessage, Socket];
        socket.on('error', () => {}).destroy();
      });
      expectBare(target.received[0]!);
      await traces.expect(runOf());
    });
  });

  it('keeps headers in a list, and those that go with Expect, as they are', async () => {
    await withClientApp({ client: { requestHeaders: ['x-a'] } }, async ({ run, target, traces }) => {
      const host = `127.0.0.1:${target.port}`;
      await run(async () => {
        await send(`${target.url}/ok/list`, {
          headers: ['Host', host, 'X-A', '1'] as unknown as RequestOptions['headers'],
        });
        await send(`${target.url}/ok/expect`, { method: 'POST', headers: { expect: '100-continue', 'x-a': '2' } }, 'x');
      });
      for (const received of target.received) expectBare(received);
      expect(target.only('/ok/list').rawHeaders).toEqual(['Host', host, 'X-A', '1', 'Connection', 'keep-alive']);
      await traces.expect(
        runOf(
          client('GET', 200, {
            attributes: { 'server.port': target.port, 'http.request.header.x-a': ['1'] },
          }),
          client('POST', 200, { attributes: { 'http.request.header.x-a': ['2'] } }),
        ),
      );
    });
  });

  it('knows headers by any of their spellings, once', async () => {
    const options = { requestHeaders: ['x-one', 'x-many'], responseHeaders: ['x-answer', 'set-cookie'] };
    await withClientApp({ client: options }, async ({ run, target, traces }) => {
      await run(() => send(`${target.url}/ok`, { headers: { 'X-One': 1, 'X-Many': ['a', 'b'] } }));
      const attributes = {
        'http.request.header.x-one': ['1'],
        'http.request.header.x-many': ['a', 'b'],
        'http.response.header.x-answer': ['yes'],
        'http.response.header.set-cookie': ['REDACTED', 'REDACTED'],
      };
      await traces.expect(runOf(client('GET', 200, { attributes })));
    });
  });

  describe('that its caller gives up is left unset', () => {
    it.each<[string, number | undefined, (url: string, target: HttpTarget) => Promise<void>]>([
      [
        'by destroy() before it is sent',
        undefined,
        async (url) => {
          const request = open(`${url}/hang`, { method: 'POST' });
          request.destroy();
          await closed(request);
        },
      ],
      [
        'by destroy() before an answer',
        undefined,
        async (url, target) => {
          const request = open(`${url}/hang`, { method: 'POST' }).end();
          await target.reached('/hang');
          request.destroy();
          await closed(request);
        },
      ],
      [
        'by destroy() of the request during the answer',
        200,
        async (url) => {
          const request = open(`${url}/half`, { method: 'POST' }).end();
          await responseOf(request);
          request.destroy();
          await closed(request);
        },
      ],
      [
        'by destroy() of the answer',
        200,
        async (url) => {
          const request = open(`${url}/big`, { method: 'POST' }).end();
          (await responseOf(request)).destroy();
          await closed(request);
        },
      ],
      [
        'by a signal before an answer',
        undefined,
        async (url, target) => {
          const controller = new AbortController();
          const request = open(`${url}/hang`, { method: 'POST', signal: controller.signal }).end();
          await target.reached('/hang');
          controller.abort();
          await closed(request);
        },
      ],
      [
        'by a signal during the answer',
        200,
        async (url) => {
          const controller = new AbortController();
          const request = open(`${url}/half`, { method: 'POST', signal: controller.signal }).end();
          await responseOf(request);
          controller.abort();
          await closed(request);
        },
      ],
      [
        'by a signal for another reason',
        undefined,
        async (url, target) => {
          const controller = new AbortController();
          const request = open(`${url}/hang`, { method: 'POST', signal: controller.signal }).end();
          await target.reached('/hang');
          controller.abort(new RangeError('mine'));
          await closed(request);
        },
      ],
    ])('%s', async (_how, code, giveUp) => {
      await withClientApp({}, async ({ run, target, traces }) => {
        await run(() => giveUp(target.url, target));
        await traces.expect(runOf(cancelled('POST', code)));
      });
    });
  });

  describe('fails', () => {
    it('if the port is closed', async () => {
      await withClientApp({}, async ({ run, traces }) => {
        const port = await freePort();
        const message = `connect ECONNREFUSED 127.0.0.1:${port}`;
        await expect(run(() => send(`http://127.0.0.1:${port}/`))).rejects.toThrow(message);
        await traces.expect(runOf(broken('GET', undefined, 'ECONNREFUSED', `Error: ${message}`)));
      });
    });

    it.each([
      ['close', 'Error: socket hang up'],
      ['reset', 'Error: read ECONNRESET'],
    ])('when the server breaks the connection by %s', async (how, exception) => {
      await withClientApp({}, async ({ run, target, traces }) => {
        await expect(run(() => send(`${target.url}/${how}`))).rejects.toThrow(exception.slice('Error: '.length));
        await traces.expect(runOf(broken('GET', undefined, 'ECONNRESET', exception)));
      });
    });

    it.each([
      ['close', 'Error: aborted'],
      ['reset', 'Error: read ECONNRESET'],
    ] as const)('when the server cuts its answer by %s', async (how, exception) => {
      await withClientApp({}, async ({ run, target, traces }) => {
        await run(async () => {
          const request = open(`${target.url}/half`).end();
          await once(await responseOf(request), 'data');
          target.cut('/half', how);
          await closed(request);
        });
        await traces.expect(runOf(broken('GET', 200, 'ECONNRESET', exception)));
      });
    });

    it('when its time is up', async () => {
      await withClientApp({}, async ({ run, target, traces }) => {
        const late = run(() => send(`${target.url}/hang`, { signal: AbortSignal.timeout(30) }));
        await expect(late).rejects.toThrow('The operation was aborted');
        const exception = 'AbortError: The operation was aborted';
        await traces.expect(runOf(broken('GET', undefined, 'TimeoutError', exception)));
      });
    });

    it('when its caller destroys it with an error', async () => {
      await withClientApp({}, async ({ run, target, traces }) => {
        await run(async () => {
          const request = open(`${target.url}/hang`).end();
          await target.reached('/hang');
          request.destroy(new RangeError('mine'));
          await closed(request);
        });
        await traces.expect(runOf(broken('GET', undefined, 'RangeError', 'RangeError: mine')));
      });
    });
  });

  it('keeps requests that wait for a connection in the trace of their caller', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const paths = Array.from({ length: 12 }, (_, index) => `/ok/${index}`);
      await Promise.all(paths.map((path) => run(() => send(target.url + path, { agent }))));
      await traces.until((spans) => spans.length === paths.length * 3);
      expect(target.openSockets).toBe(1);
      for (const span of clientSpans(traces.spans)) {
        const received = target.only(new URL(String(span.attributes['url.full'])).pathname);
        if (nodePropagates) expectCarried(received, span);
        else expectBare(received);
      }
      await traces.expect(...paths.map(() => runOf(client('GET', 200))));
      agent.destroy();
    });
  });

  it('stays open as long as its answer is not read, and ends with its connection', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => {
        const request = open(`${target.url}/big`, { method: 'PUT' }).end();
        const response = await responseOf(request);
        expect(traces.open).toContain('PUT');
        response.resume();
        await closed(request);
      });
      await traces.expect(runOf(client('PUT', 200)));
    });
  });

  it('tells the application nothing of being watched', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => {
        const request = httpGet(`${target.url}/ok`);
        expect(request.listenerCount('response')).toBe(0);
        expect(request.listenerCount('error')).toBe(0);
        expect(Object.keys(request.getHeaders()).toSorted()).toEqual(
          nodePropagates ? ['host', 'traceparent'] : ['host'],
        );
        await closed(request);
      });
      await traces.expect(runOf(client('GET', 200)));
    });
  });

  it('takes subclasses of the request', async () => {
    class OwnRequest extends ClientRequest {}
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(async () => {
        const request = new OwnRequest(`${target.url}/ok`, (response) => response.resume());
        request.end();
        await closed(request);
      });
      await traces.expect(runOf(client('GET', 200)));
    });
  });
});
