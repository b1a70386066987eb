import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { certificate } from '../../../support/certificate.js';
import { grpcReceiver, httpReceiver, udpReceiver } from './receivers.js';
import { startedProviders, until } from './started-providers.js';

const { open, start, warnings } = startedProviders();

const HEADERS = { 'X-Api-Key': 'hunter2' };

describe('otlp', () => {
  it.each([
    ['http/json', 'none', 'application/json'],
    ['http/json', 'gzip', 'application/json'],
    ['http/protobuf', 'none', 'application/x-protobuf'],
    ['http/protobuf', 'gzip', 'application/x-protobuf'],
  ] as const)('over %s with compression %s', async (protocol, compression, contentType) => {
    const receiver = await open(httpReceiver());
    const endpoint = `http://127.0.0.1:${receiver.port}/base/`;
    const { provider, span } = start({ type: 'otlp', protocol, endpoint, headers: HEADERS, compression });
    span('place order');
    await provider.shutdown();

    expect(receiver.received).toHaveLength(1);
    const [{ path, headers, body } = { path: '', headers: {}, body: Buffer.alloc(0) }] = receiver.received;
    expect(path).toBe('/base/v1/traces');
    expect(headers).toMatchObject({ 'content-type': contentType, 'x-api-key': 'hunter2' });
    expect(headers['content-encoding']).toBe(compression === 'gzip' ? 'gzip' : undefined);
    expect(body.toString('latin1')).toContain('place order');
    expect(body.toString('latin1')).toContain('orders');
    if (protocol === 'http/json') {
      const { resourceSpans } = JSON.parse(body.toString()) as {
        resourceSpans: { scopeSpans: { spans: object[] }[] }[];
      };
      expect(resourceSpans[0]?.scopeSpans[0]?.spans).toEqual([expect.objectContaining({ name: 'place order' })]);
    }
    expect(warnings).toEqual([]);
  });

  it.each(['none', 'gzip'] as const)('over gRPC with compression %s', async (compression) => {
    const receiver = await open(grpcReceiver());
    const endpoint = `http://127.0.0.1:${receiver.port}`;
    const { provider, span } = start({ type: 'otlp', protocol: 'grpc', endpoint, headers: HEADERS, compression });
    span('place order');
    await provider.shutdown();
    expect(receiver.received).toHaveLength(1);
    expect(receiver.received[0]?.headers).toMatchObject({ 'x-api-key': 'hunter2' });
    expect(receiver.received[0]?.body.toString('latin1')).toContain('place order');
    expect(warnings).toEqual([]);
  });

  describe('over gRPC to host:port', () => {
    const options = { shutdown: { timeout: 500 } };

    it('starts a TLS handshake, so that headers are encrypted', async () => {
      const server = createServer().unref();
      await once(server.listen(0, 'localhost'), 'listening');
      const firstBytes = once(server, 'connection').then(async ([socket]: Socket[]) => {
        const [bytes] = (await once(socket!, 'data')) as [Buffer];
        socket!.destroy();
        server.close();
        return bytes;
      });
      const endpoint = `localhost:${(server.address() as AddressInfo).port}`;
      const { provider, span } = start({ type: 'otlp', protocol: 'grpc', endpoint, headers: HEADERS }, options);
      span('place order');
      const flushed = provider.forceFlush().catch(() => {});
      const HANDSHAKE = 0x16;
      expect((await firstBytes)[0]).toBe(HANDSHAKE);
      await provider.shutdown();
      await flushed;
    });

    it('is not encrypted if OTEL_EXPORTER_OTLP_INSECURE is true', async () => {
      const receiver = await open(grpcReceiver());
      const exporter = { type: 'otlp', protocol: 'grpc', endpoint: `127.0.0.1:${receiver.port}` } as const;
      const { provider, span } = start(exporter, options, { OTEL_EXPORTER_OTLP_INSECURE: 'true' });
      span('place order');
      await provider.shutdown();
      expect(receiver.received).toHaveLength(1);
    });
  });

  describe('with the variables of the process set to something else', () => {
    const WRONG = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_EXPORTER_OTLP_HEADERS: 'X-Api-Key=env,X-Env=1',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_TIMEOUT: '1',
      OTEL_EXPORTER_JAEGER_ENDPOINT: 'http://127.0.0.1:1/api/traces',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1',
    };
    beforeAll(() => void Object.assign(process.env, WRONG));
    afterAll(() => {
      for (const name of Object.keys(WRONG)) delete process.env[name];
    });

    it.each(['http/protobuf', 'grpc'] as const)('%s obeys the options', async (protocol) => {
      const receiver = await open(protocol === 'grpc' ? grpcReceiver() : httpReceiver());
      const endpoint = `http://127.0.0.1:${receiver.port}`;
      const { provider, span } = start({ type: 'otlp', protocol, endpoint, headers: HEADERS });
      span('one');
      span('two');
      await provider.shutdown();
      expect(receiver.received).toHaveLength(1);
      expect(receiver.received[0]?.headers).toMatchObject({ 'x-api-key': 'hunter2' });
      expect(receiver.received[0]?.headers['content-encoding']).toBeUndefined();
    });

    it('jaeger sends to the agent of the options', async () => {
      const receiver = await open(udpReceiver());
      const { provider, span } = start({ type: 'jaeger', host: '127.0.0.1', port: receiver.port });
      span('place order');
      await provider.shutdown();
      await until(() => receiver.received.length > 0);
      expect(receiver.received).toHaveLength(1);
      expect(process.env.OTEL_EXPORTER_JAEGER_ENDPOINT).toBe(WRONG.OTEL_EXPORTER_JAEGER_ENDPOINT);
    });
  });

  describe('over TLS', () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'tls-'));
      writeFileSync(join(folder, 'ca.pem'), certificate);
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it.each(['http/protobuf', 'grpc'] as const)(
      '%s trusts the certificate that a variable names, and no other',
      async (protocol) => {
        const receiver = await open(protocol === 'grpc' ? grpcReceiver(true) : httpReceiver([200], true));
        const exporter = { type: 'otlp', protocol, endpoint: `https://localhost:${receiver.port}` } as const;
        const trusting = start(exporter, {}, { OTEL_EXPORTER_OTLP_CERTIFICATE: join(folder, 'ca.pem') });
        trusting.span('place order');
        await trusting.provider.shutdown();
        expect(receiver.received).toHaveLength(1);

        const distrusting = start(exporter, { shutdown: { timeout: 500 } });
        distrusting.span('place order');
        await distrusting.provider.shutdown();
        expect(receiver.received).toHaveLength(1);
        expect(warnings).toEqual([expect.stringMatching(/1 span is lost.*certificate/i)]);
      },
    );
  });

  it('tries again after 503, and reports nothing if that succeeds', async () => {
    const receiver = await open(httpReceiver([503, 200]));
    const { provider, span } = start({ type: 'otlp', endpoint: `http://127.0.0.1:${receiver.port}` });
    span('place order');
    await provider.forceFlush();
    expect(receiver.received).toHaveLength(2);
    expect(warnings).toEqual([]);
  });

  it('warns where spans are lost and why, without the secrets of the address, and when exports succeed again', async () => {
    const receiver = await open(httpReceiver([401, 200]));
    const endpoint = `http://me:hunter2@127.0.0.1:${receiver.port}?key=hunter2`;
    const { provider, span } = start({ type: 'otlp', endpoint });
    span('lost');
    await provider.forceFlush().catch(() => {});
    const destination = `http://127.0.0.1:${receiver.port}/v1/traces`;
    expect(warnings).toEqual([expect.stringContaining(`1 span is lost: the export to ${destination} failed`)]);
    expect(warnings[0]).toContain('Unauthorized');
    span('arrives');
    await provider.forceFlush();
    expect(warnings[1]).toContain(`Spans reach ${destination} again; 1 are lost so far.`);
    expect(warnings.join()).not.toContain('hunter2');
  });
});

describe('jaeger', () => {
  it('reaches a collector over HTTP, with its credentials', async () => {
    const receiver = await open(httpReceiver([202]));
    const endpoint = `http://127.0.0.1:${receiver.port}`;
    const { provider, span } = start({ type: 'jaeger', endpoint, username: 'me', password: 'hunter2' });
    span('place order');
    await provider.shutdown();
    expect(receiver.received).toHaveLength(1);
    expect(receiver.received[0]).toMatchObject({
      path: '/api/traces',
      headers: { 'content-type': 'application/x-thrift' },
    });
    expect(receiver.received[0]?.headers.authorization).toBe(`Basic ${btoa('me:hunter2')}`);
    expect(receiver.received[0]?.body.toString('latin1')).toContain('place order');
  });

  it('sends a full queue to an agent over UDP at shutdown', async () => {
    const receiver = await open(udpReceiver());
    const { provider, span } = start({ type: 'jaeger', host: '127.0.0.1', port: receiver.port });
    for (let index = 1000; index < 3048; index++) span(`span-${index}`);
    await provider.shutdown();
    const names = () => receiver.received.flatMap(({ body }) => body.toString('latin1').match(/span-\d{4}/g) ?? []);
    await until(() => new Set(names()).size === 2048);
    expect(warnings).toEqual([]);
  });

  it('loses only the span that is larger than a packet', async () => {
    const receiver = await open(udpReceiver());
    const { provider, span } = start({ type: 'jaeger', host: '127.0.0.1', port: receiver.port });
    span('before');
    provider
      .getTracer('test', '1')
      .startSpan('huge', { attributes: { text: 'x'.repeat(70_000) } })
      .end();
    span('after');
    await provider.shutdown();
    const sent = () => receiver.received.map(({ body }) => body.toString('latin1')).join('');
    await until(() => sent().includes('before') && sent().includes('after'));
    expect(warnings).toEqual([
      expect.stringMatching(/^1 span is lost.*limits\.attributeValueLength/),
      expect.stringContaining('1 are lost so far'),
    ]);
  });
});
