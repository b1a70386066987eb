import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TracingOptions } from 'nestjs-tracing';
import { Apps, type Ended } from '../support/apps.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';

const apps = new Apps();
afterAll(() => apps.remove());

let receiver: OtlpReceiver;
beforeEach(async () => {
  receiver = await OtlpReceiver.start();
});
afterEach(() => receiver.stop());

interface Report {
  readonly carrier: Record<string, string>;
  readonly variablesAreKept: boolean;
  readonly globals: string[];
  readonly apis: string[];
}

function run(env: Record<string, string>, options: TracingOptions = {}): Promise<Ended> {
  const common = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
  return apps.run('configured', { args: [JSON.stringify(options)], env: { ...common, ...env } });
}

function reportOf({ stdout, stderr }: Ended): Report {
  const line = stdout.split('\n').find((it) => it.startsWith('{'));
  if (line === undefined) throw new Error(`no report:\n${stdout}\n${stderr}`);
  return JSON.parse(line) as Report;
}

/** Nearly every variable at once: they do not depend on each other. */
const VARIABLES = {
  OTEL_SERVICE_NAME: 'by-variable',
  OTEL_RESOURCE_ATTRIBUTES: 'service.name=not-this,team=green,region=eu%20west',
  OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=by-variable,x-tenant=acme',
  OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
  OTEL_PROPAGATORS: 'b3',
  OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '3',
  OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: '10',
  OTEL_SPAN_EVENT_COUNT_LIMIT: '2',
  OTEL_SPAN_LINK_COUNT_LIMIT: '1',
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '4',
};

/** Variables that all have invalid values. */
const WRONG = {
  OTEL_SDK_DISABLED: '1',
  OTEL_RESOURCE_ATTRIBUTES: 'service.name=not-this,discount=50%',
  OTEL_NODE_RESOURCE_DETECTORS: 'gcp',
  OTEL_TRACES_EXPORTER: 'zipkin',
  OTEL_TRACES_SAMPLER: 'sometimes',
  OTEL_PROPAGATORS: 'ottrace',
  OTEL_BSP_SCHEDULE_DELAY: '5s',
  OTEL_BSP_MAX_QUEUE_SIZE: '-1',
  OTEL_SPAN_EVENT_COUNT_LIMIT: 'many',
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'collector:4318',
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'gprc',
  OTEL_EXPORTER_OTLP_TIMEOUT: '10s',
  OTEL_EXPORTER_OTLP_COMPRESSION: 'zstd',
};

describe('OTEL_* variables', () => {
  it('name the service, describe it, and shape exports, propagation, limits and batches', async () => {
    const ended = await run(VARIABLES);
    const { carrier, variablesAreKept } = reportOf(ended);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(variablesAreKept).toBe(true);

    expect(receiver.requests.map(({ path }) => path)).toEqual(['/v1/traces', '/v1/traces']);
    expect(receiver.requests[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      'x-api-key': 'by-variable',
      'x-tenant': 'acme',
    });
    const { spans } = receiver;
    expect(spans).toHaveLength(6);
    expect(spans[0]?.resource).toMatchObject({ 'service.name': 'by-variable', team: 'green', region: 'eu west' });
    const parent = spans.find(({ name }) => name === 'parent');
    expect(parent?.attributes).toEqual({
      'attribute.0': 'x'.repeat(10),
      'attribute.1': 'x'.repeat(10),
      'attribute.2': 'x'.repeat(10),
    });
    expect(parent?.events.map(({ name }) => name)).toEqual(['event 3', 'event 4']);
    expect(parent?.links).toHaveLength(1);
    expect(carrier).toEqual({ b3: `${parent?.traceId}-${parent?.spanId}-1` });
  });

  it('yield to options', async () => {
    const ended = await run(
      { ...VARIABLES, OTEL_TRACES_SAMPLER: 'always_off', OTEL_TRACES_EXPORTER: 'none', OTEL_SDK_DISABLED: 'true' },
      {
        enabled: true,
        serviceName: 'by-option',
        resource: { team: 'blue' },
        exporter: { type: 'otlp', headers: { 'x-api-key': 'by-option' }, compression: 'none' },
        sampler: 'always_on',
        propagators: ['tracecontext'],
        limits: { attributeCount: 128, attributeValueLength: 20, eventCount: 5, linkCount: 5 },
        batch: { maxExportBatchSize: 512 },
      },
    );
    const { carrier, variablesAreKept } = reportOf(ended);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(variablesAreKept).toBe(true);
    expect(receiver.requests).toHaveLength(1);
    expect(receiver.requests[0]?.headers).toMatchObject({ 'x-api-key': 'by-option', 'x-tenant': 'acme' });
    expect(receiver.requests[0]?.headers).not.toHaveProperty('content-encoding');
    const parent = receiver.spans.find(({ name }) => name === 'parent');
    expect(parent?.resource).toMatchObject({ 'service.name': 'by-option', team: 'blue', region: 'eu west' });
    expect(Object.values(parent?.attributes ?? {})).toEqual(Array<string>(5).fill('x'.repeat(20)));
    expect([parent?.events.length, parent?.links.length]).toEqual([5, 5]);
    expect(carrier).toEqual({ traceparent: `00-${parent?.traceId}-${parent?.spanId}-03` });
  });

  it('are not needed: the name comes from package.json, and spans go out as protobuf', async () => {
    const ended = await run({ OTEL_EXPORTER_OTLP_PROTOCOL: '', OTEL_METRICS_EXPORTER: '', OTEL_LOGS_EXPORTER: '' });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const [request, ...others] = receiver.requests;
    expect(others).toEqual([]);
    expect(request).toMatchObject({ path: '/v1/traces', headers: { 'content-type': 'application/x-protobuf' } });
    expect(request?.body.includes('fixture-app')).toBe(true);
    expect(request?.body.includes('1.2.3')).toBe(true);

    // Of OpenTelemetry's signals, only traces are set up, whatever the SDK's own defaults are.
    const { apis, globals, carrier } = reportOf(ended);
    expect(apis.toSorted()).toEqual(['context', 'propagation', 'trace', 'version']);
    expect(globals.filter((name) => /logs|metrics/.test(name))).toEqual([]);
    expect(Object.keys(carrier)).toEqual(['traceparent']);
  });

  it.each<[string, Record<string, string>, number]>([
    ['a ratio of 0', { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, 0],
    ['no exporter', { OTEL_TRACES_EXPORTER: 'none' }, 0],
    ['the standard switch', { OTEL_SDK_DISABLED: 'true' }, 0],
    ['an address for traces alone', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }, 1],
  ])('choose what is exported: %s', async (_, env, requests) => {
    const ended = await run({
      ...env,
      ...(requests > 0 && { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/own/path` }),
    });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(receiver.requests.map(({ path }) => path)).toEqual(Array<string>(requests).fill('/own/path'));
  });

  it('say how long spans wait', async () => {
    const app = apps.start('configured', {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '10', STAY: 'yes' },
    });
    await app.said('traced');
    const tracedAt = performance.now();
    await receiver.received(1);
    // The default is five seconds.
    expect(performance.now() - tracedAt).toBeLessThan(2500);
    app.signal('SIGKILL');
    await app.ended;
  });

  it('say how long an export may take', async () => {
    const silent = await OtlpReceiver.start('silence');
    const ended = await run({ OTEL_EXPORTER_OTLP_ENDPOINT: silent.url, OTEL_EXPORTER_OTLP_TIMEOUT: '100' });
    await silent.stop();
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/6 spans are lost/);
    expect(ended.at - silent.requests[0]!.at).toBeLessThan(2500);
  });

  it('are warned of and ignored when they are wrong', async () => {
    const ended = await run({ ...WRONG, OTEL_EXPORTER_OTLP_HEADERS: 'x y=1,x-api-key=by-variable' });
    const { carrier, variablesAreKept } = reportOf(ended);
    expect(ended.code).toBe(0);
    expect(variablesAreKept).toBe(true);
    for (const name of [...Object.keys(WRONG), 'OTEL_EXPORTER_OTLP_HEADERS']) {
      expect(ended.stdout.split(`The variable ${name} `)).toHaveLength(2);
    }
    expect(receiver.requests).toHaveLength(1);
    expect(receiver.requests[0]?.headers).toMatchObject({ 'x-api-key': 'by-variable' });
    expect(receiver.spans[0]?.resource).toMatchObject({ 'service.name': 'fixture-app' });
    expect(Object.keys(carrier)).toEqual(['traceparent']);
  });
});
