import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import type { TracingOptions } from 'nestjs-tracing';
import { CALLER, contextHeaders, TRACE, w3cCases, type ContextCase } from '../support/context-cases.js';
import { testContextPropagation, type RelayingService } from '../support/context-suite.js';
import { httpPlatforms, startHttpApp, type Platform } from '../support/http-app.js';
import { startNextService, type NextService } from '../support/next-service.js';
import { RawClient } from '../support/raw-client.js';

let next: NextService;
beforeAll(async () => {
  next = await startNextService();
});
afterAll(() => next.close());

@Controller()
class RelayController {
  /** Answers with the headers that the next service received. */
  @Get('relay')
  async relay() {
    return (await fetch(next.url)).json();
  }
}

async function start(platform: Platform, tracing: Omit<TracingOptions, 'exporter'>): Promise<RelayingService> {
  const { port, traces, close } = await startHttpApp(platform, {
    controllers: [RelayController],
    tracing: { ...tracing, http: { client: {} } },
  });
  return {
    traces,
    close,
    /** Sends the headers byte by byte. */
    async relay(headers) {
      const client = await RawClient.connect(port);
      client.send('GET /relay', [...headers.map(([name, value]) => `${name}: ${value}`), 'Connection: close']);
      const answer = await client.closed();
      return contextHeaders(JSON.parse(/\{.*\}/.exec(answer)![0]) as Record<string, unknown>);
    },
  };
}

const onlyHttpCases: readonly ContextCase[] = [
  { what: 'baggage that is not ASCII', headers: [['baggage', 'a=é,é=1,b=2']], sent: { baggage: 'b=2' } },
  {
    what: 'an empty header',
    headers: [
      ['traceparent', ''],
      ['tracestate', 'a=1'],
    ],
  },
];

describe.each(httpPlatforms)('context in HTTP headers on %s', (platform) => {
  testContextPropagation({
    start: (tracing) => start(platform, tracing),
    // Server, handler and client.
    spanCount: 3,
    w3cCases: [...w3cCases, ...onlyHttpCases],
  });
});

describe('a service with the option', () => {
  const headers = [
    ['traceparent', `00-${TRACE}-${CALLER}-01`],
    ['baggage', 'a=1'],
  ] as const;

  it.each([
    [true, 'adopts the context and hands it on', { traceparent: expect.stringContaining(TRACE), baggage: 'a=1' }],
    [false, 'adopts nothing and hands nothing on', {}],
  ])('enabled: %s %s', async (enabled, _promise, sent) => {
    const service = await start('Express', { enabled });
    await expect(service.relay(headers)).resolves.toEqual(sent);
    await service.close();
  });
});
