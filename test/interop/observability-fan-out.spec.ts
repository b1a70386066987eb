import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { freePorts } from '../../sample/02-shop/run/free-ports.js';
import { Collector } from './support/collector.js';
import { Jaeger } from './support/jaeger.js';
import { JaegerQuery } from './support/jaeger-query.js';
import { observabilityFolder } from './support/observability.js';

/** A receiver in the place of Tempo: the test only needs spans that arrive by OTLP. */
let tempo: Jaeger;
let jaeger: Collector;
let query: JaegerQuery;

beforeAll(async () => {
  tempo = await Jaeger.start();
  const [port, grpc] = await freePorts(2);
  jaeger = await Collector.start(['jaeger', 'storage-memory', join(observabilityFolder, 'jaeger-to-tempo.yaml')], {
    TEMPO_ENDPOINT: `127.0.0.1:${tempo.ports.otlpGrpc}`,
    QUERY_PORT: String(port),
    QUERY_GRPC_PORT: String(grpc),
  });
  query = new JaegerQuery(`http://127.0.0.1:${port}`);
});
afterAll(async () => {
  await jaeger?.stop();
  await tempo?.stop();
});

it('what is sent to the Jaeger of the compose file is kept there, and handed on to Tempo', async () => {
  const traceId = await send(jaeger.url);
  expect((await query.traceOf(1, traceId)).spans).toHaveLength(1);
  expect((await tempo.query.traceOf(1, traceId)).spans).toHaveLength(1);
});

it('Jaeger keeps what it is sent while there is no Tempo', async () => {
  await tempo.kill();
  const traceId = await send(jaeger.url);
  expect((await query.traceOf(1, traceId)).spans).toHaveLength(1);
});

/** Sends a span. Returns the id of its trace. */
async function send(url: string): Promise<string> {
  const traceId = randomBytes(16).toString('hex');
  const now = `${Date.now()}000000`;
  const span = {
    traceId,
    spanId: randomBytes(8).toString('hex'),
    name: 'work',
    startTimeUnixNano: now,
    endTimeUnixNano: now,
  };
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'orders' } }] };
  const response = await fetch(`${url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }),
  });
  expect(response.status).toBe(200);
  return traceId;
}
