import { once } from 'node:events';
import { createServer } from 'node:http';
import { Module } from '@nestjs/common';
import { afterAll, describe, expect, it } from '@jest/globals';
import { TracingModule, type MetricsOptions } from 'nestjs-tracing';
import { Apps } from '../support/apps.js';
import { freePort } from '../support/free-port.js';
import { startHttpApp, untraced } from '../support/http-app.js';
import { startContext, Warnings } from '../support/nest.js';
import { Scrape } from '../support/scrape.js';
import { waitFor } from '../support/wait-for.js';

function moduleWith(metrics: MetricsOptions): new () => unknown {
  @Module({ imports: [TracingModule.forRoot({ serviceName: 'worker', exporter: 'none', metrics })] })
  class AppModule {}
  return AppModule;
}

const reachable = (url: string) =>
  untraced(() => fetch(url)).then(
    ({ status }) => status,
    () => 'unreachable',
  );

describe('metrics on a port of their own', () => {
  it('are there for an application without HTTP, as long as that is up', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/metrics`;
    const app = await startContext(moduleWith({ port }));
    const found = await untraced(() => Scrape.of(url));
    expect(found.labels('target_info')).toEqual([expect.objectContaining({ service_name: 'worker' })]);
    await app.close();
    expect(await reachable(url)).toBe('unreachable');
  });

  it('answer nothing else', async () => {
    const port = await freePort();
    const app = await startContext(moduleWith({ port, host: '127.0.0.1', path: '/prometheus' }));
    const url = `http://127.0.0.1:${port}`;
    const statuses = [
      await reachable(`${url}/prometheus?x=1`),
      await reachable(`${url}/metrics`),
      (await untraced(() => fetch(`${url}/prometheus`, { method: 'POST' }))).status,
      (await untraced(() => fetch(`${url}/prometheus`, { method: 'HEAD' }))).status,
    ];
    expect(statuses).toEqual([200, 404, 405, 200]);
    await app.close();
  });

  it('leave the application’s own routes alone', async () => {
    const port = await freePort();
    const http = await startHttpApp('Express', { tracing: { metrics: { port } } });
    expect((await http.request('/metrics')).status).toBe(404);
    expect(await reachable(`http://127.0.0.1:${port}/metrics`)).toBe(200);
    await http.close();
  });

  it('do not keep an application from starting when the port is taken, and come when it is free', async () => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    const warnings = new Warnings();
    const app = await startContext(moduleWith({ port, host: '127.0.0.1' }), warnings);
    expect(warnings.take()).toEqual([
      expect.stringMatching(
        `^Metrics cannot be served on 127.0.0.1:${port} \\(Error: listen EADDRINUSE.*Choose another metrics.port`,
      ),
    ]);
    other.close();
    await once(other, 'close');
    await waitFor({
      expected: 'metrics on the port that is free again',
      look: () => reachable(`http://127.0.0.1:${port}/metrics`),
      isExpected: (seen) => seen === 200,
      patience: 10_000,
    });
    await app.close();
    expect(await reachable(`http://127.0.0.1:${port}/metrics`)).toBe('unreachable');
  }, 15_000);

  it('close while they are being read', async () => {
    const port = await freePort();
    const app = await startContext(moduleWith({ port }));
    expect(await reachable(`http://127.0.0.1:${port}/metrics`)).toBe(200);
    // The connection is kept alive, and closing must not wait for it.
    await app.close();
    expect(await reachable(`http://127.0.0.1:${port}/metrics`)).toBe('unreachable');
  });
});

describe('metrics at a path', () => {
  it('of an application without HTTP are nowhere, and it says so', async () => {
    const warnings = new Warnings();
    const app = await startContext(moduleWith({}), warnings);
    expect(warnings.take()).toEqual([
      'Nothing serves the metrics: this application has no HTTP server. Give metrics.port, or path: false where they are not to be served.',
    ]);
    await app.close();
  });

  it('of nowhere are meant to be so', async () => {
    const warnings = new Warnings();
    const app = await startContext(moduleWith({ path: false }), warnings);
    expect(warnings.take()).toEqual([]);
    await app.close();
  });
});

describe('a process', () => {
  const apps = new Apps();
  afterAll(() => apps.remove());

  it('ends by itself, metrics or not, when its work is done', async () => {
    const port = await freePort();
    const { code, stderr, stdout } = await apps.run('metrics-worker', { args: [String(port)] });
    expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: 'scraped 200' });
  });
});
