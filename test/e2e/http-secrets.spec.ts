import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Post, type ExceptionFilter } from '@nestjs/common';
import { SpanKind } from '@opentelemetry/api';
import { httpPlatforms, startHttpApp, type HttpApp } from '../support/http-app.js';
import { failed } from '../support/trace-tree.js';

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
    return JSON.stringify(http.traces.spans.map(({ name, attributes, events, status }) => [name, attributes, events, status]));
  }
  const post = (path: string, body: string) =>
    http.request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });

  it.each([
    `${SECRET} is all there is in this body`,
    `{"a": 1, "password": ${SECRET} }`,
    `"${SECRET}"`,
    `{"password": "${SECRET}"`,
  ])('shows nothing of a body that is no JSON: %s', async (body) => {
    const { status } = await post('/vault', body);
    const trace = await seen();
    console.log(platform, status, trace.slice(0,700));
    expect(trace).not.toContain('hunter');
  });
});
