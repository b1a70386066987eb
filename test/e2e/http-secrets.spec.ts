import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Post } from '@nestjs/common';
import { SpanKind } from '@opentelemetry/api';
import { httpPlatforms, startHttpApp, type HttpApp } from '../support/http-app.js';

const SECRET = 'hunter2';

@Controller()
class VaultController {
  @Get('vault')
  read() {
    return 'ok';
  }
  @Post('vault')
  write(@Body() body: unknown) {
    return body;
  }
  @Get('fails')
  fails() {
    throw new Error('failed');
  }
  @Post('parse')
  parse() {
    return JSON.parse(`${SECRET} is no JSON`) as unknown;
  }
}

describe.each(httpPlatforms)('%s', (platform) => {
  let http: HttpApp;

  beforeAll(async () => {
    http = await startHttpApp(platform, { controllers: [VaultController] });
  });
  afterAll(() => http.close());
  beforeEach(() => http.traces.reset());

  async function seen(): Promise<string> {
    await http.traces.until((spans) => spans.some(({ kind }) => kind === SpanKind.SERVER));
    return JSON.stringify(
      http.traces.spans.map(({ name, attributes, events, status }) => [name, attributes, events, status]),
    );
  }
  const post = (path: string, body: string) =>
    http.request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });

  it.each([
    `${SECRET} is all there is in this body`,
    `{"a": 1, "password": ${SECRET} }`,
    `{"password": "${SECRET}", }`,
    `{"password": "${SECRET}"`,
  ])('shows nothing of a body that is no JSON: %s', async (body) => {
    expect(await post('/vault', body)).toMatchObject({ status: 400 });
    const trace = await seen();
    expect(trace).toContain('"exception.stacktrace"');
    expect(trace).not.toMatch(/hunter|pass/);
  });

  it('shows nothing of a text that a handler cannot parse', async () => {
    expect(await post('/parse', '{}')).toMatchObject({ status: 500 });
    const trace = await seen();
    expect(trace).toContain('is not valid JSON');
    expect(trace).not.toContain('hunter');
  });

  it('shows no secrets of a URL, also where it has no route', async () => {
    const next = encodeURIComponent(`https://us:${SECRET}@x.test/?code=${SECRET}&a=b`);
    const query = `page=2&code=${SECRET}&next=${next};pin=${SECRET}`;
    await http.request(`/vault?${query}`);
    await http.traces.until((spans) => spans.length === 2);
    await http.request(`/none;jsessionid=${SECRET}/x?${query}`);
    await http.traces.until((spans) => spans.length === 3);
    const [found, missing] = http.traces.spans.filter(({ kind }) => kind === SpanKind.SERVER);
    expect(found?.attributes).toMatchObject({
      'url.path': '/vault',
      'url.query':
        'page=2&code=REDACTED&next=https%3A%2F%2FREDACTED:REDACTED%40x.test%2F%3Fcode%3DREDACTED%26a%3Db;pin=REDACTED',
    });
    expect(missing?.attributes).toMatchObject({ 'url.path': '/none;jsessionid=REDACTED/x' });
    expect(await seen()).not.toContain(SECRET);
  });

  it('shows no frames of the library in a stack trace', async () => {
    await http.request('/fails');
    const trace = await seen();
    expect(trace).toContain('VaultController.fails');
    expect(trace).not.toMatch(/\/lib\/(core|handlers|http)\//);
  });
});
