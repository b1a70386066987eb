import { describe, expect, it } from '@jest/globals';
import { Agent, ClientRequest, type ClientRequestArgs } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { connect } from 'node:net';
import { requestDestination } from '../../../../lib/http/client/destination.js';

/** Creates a request that is never sent. */
function create(options: ClientRequestArgs): ClientRequest {
  const request = new ClientRequest(options).on('error', () => {});
  request.destroy();
  return request;
}

const lying = { Host: '127.0.0.1:9' };

describe('the destination of a request of node:http', () => {
  it.each<[string, ClientRequestArgs, string]>([
    ['the host and port', { host: '127.0.0.1', port: 81 }, 'http://127.0.0.1:81'],
    ['the hostname first', { host: 'b.test', hostname: 'a.test', port: '81' }, 'http://a.test:81'],
    ['the default port', { host: 'a.test' }, 'http://a.test'],
    [
      'the default port of the agent',
      { host: 'a.test', agent: new HttpsAgent(), protocol: 'https:' },
      'https://a.test',
    ],
    [
      'another port over TLS',
      { host: 'a.test', port: 80, agent: new HttpsAgent(), protocol: 'https:' },
      'https://a.test:80',
    ],
    ['an address of version 6', { host: '::1', port: 81 }, 'http://[::1]:81'],
    [
      'what its agent is set to',
      { host: 'b.test', port: 82, agent: new Agent(agentTo('a.test', 81)) },
      'http://a.test:81',
    ],
  ])('is %s', (_name, options, origin) => {
    const variants = [
      {},
      { headers: lying },
      { headers: ['Host', 'shop.test:9'] },
      { setHost: false },
      ...(options.agent ? [] : [{ agent: false as const }]),
    ];
    const found = variants.map((more) => requestDestination(create({ ...options, ...more })));
    expect(found).toEqual(variants.map(() => ({ origin, hasUnknownPort: false, socketPath: undefined })));
  });

  it('is correct for requests that are examined together', () => {
    const agent = new Agent();
    const requests = Array.from({ length: 3 }, () => create({ host: '127.0.0.1', port: 81, headers: lying, agent }));
    const found = requests.map((request) => requestDestination(request).origin);
    expect(found).toEqual(requests.map(() => 'http://127.0.0.1:81'));
  });

  it('has the right port for simultaneous requests of one agent', () => {
    const agent = new Agent({ keepAlive: true });
    const requests = [81, 82, 81, 83].map((port) => {
      const request = create({ host: '127.0.0.1', port, agent, headers: lying });
      return requestDestination(request).origin;
    });
    expect(requests).toEqual([81, 82, 81, 83].map((port) => `http://127.0.0.1:${port}`));
  });

  it('is known for a request that waits for a connection', () => {
    const agent = new Agent({ maxSockets: 1 });
    const found = [81, 81, 82, 82].map(
      (port) => requestDestination(create({ host: '127.0.0.1', port, agent, headers: lying })).origin,
    );
    expect(found).toEqual([81, 81, 82, 82].map((port) => `http://127.0.0.1:${port}`));
  });

  it('is the path of a Unix socket, from the request or from its agent', () => {
    const found = [{ socketPath: '/a.sock' }, { agent: new Agent({ socketPath: '/a.sock' } as object) }].map(
      (options) => requestDestination(create(options)).socketPath,
    );
    expect(found).toEqual(['/a.sock', '/a.sock']);
  });

  describe('over a connection that the agent does not store', () => {
    // For example, of an agent without a list of connections.
    const createConnection = () => connect(1, '127.0.0.1').on('error', () => {});
    const keepsAuthority = Object.getOwnPropertySymbols(create({})).some((it) => it.description === 'kAuthority');

    it('has the port of the Host header that Node has written', () => {
      const { hasUnknownPort, origin } = requestDestination(create({ host: 'a.test', port: 81, createConnection }));
      expect([origin, hasUnknownPort]).toEqual(['http://a.test:81', false]);
    });

    it.each([{ host: 'a.test:9' }, { Host: 'b.test:9' }, ['Host', 'a.test:9']])('does not come from %j', (headers) => {
      const request = create({ host: 'a.test', port: 81, createConnection, headers });
      const { hasUnknownPort, origin } = requestDestination(request);
      const expected = keepsAuthority ? ['http://a.test:81', false] : ['http://a.test', true];
      expect([origin, hasUnknownPort]).toEqual(expected);
    });
  });
});

function agentTo(host: string, port: number): object {
  return { host, port };
}
