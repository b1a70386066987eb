import { describe, expect, it } from '@jest/globals';
import { parseAddress, serverAddress } from '../../../lib/grpc/address.js';

describe('parseAddress()', () => {
  it.each([
    ['host:50051', { address: 'host', port: 50051 }],
    ['host', { address: 'host' }],
    ['127.0.0.1:1', { address: '127.0.0.1', port: 1 }],
    ['dns:host:50051', { address: 'host', port: 50051 }],
    ['dns:///host:50051', { address: 'host', port: 50051 }],
    ['dns://8.8.8.8/host:50051', { address: 'host', port: 50051 }],
    ['ipv4:127.0.0.1:50051', { address: '127.0.0.1', port: 50051 }],
    ['ipv6:[::1]:50051', { address: '::1', port: 50051 }],
    ['[2001:db8::1]:443', { address: '2001:db8::1', port: 443 }],
    ['[::1]', { address: '::1' }],
    ['::1:50051', { address: '::1', port: 50051 }],
    ['2001:db8::1:443', { address: '2001:db8::1', port: 443 }],
    ['my-unix:50051', { address: 'my-unix', port: 50051 }],
    ['my-dns:50051', { address: 'my-dns', port: 50051 }],
    ['::ffff:127.0.0.1:443', { address: '::ffff:127.0.0.1', port: 443 }],
    ['passthrough:///host:1', { address: 'host', port: 1 }],
    ['unix:/run/app.sock', { address: '/run/app.sock' }],
    ['unix:///run/app.sock', { address: '/run/app.sock' }],
    ['unix:app.sock', { address: 'app.sock' }],
    ['unix-abstract:app', { address: 'app' }],
    ['unknown', undefined],
    ['', undefined],
    ['a b:c:d', undefined],
  ])('reads %j', (target, address) => {
    expect(parseAddress(target)).toEqual(address);
  });
});

describe('serverAddress()', () => {
  it.each([
    ['host:50051', { 'server.address': 'host', 'server.port': 50051 }],
    ['host', { 'server.address': 'host' }],
    ['unknown', {}],
  ])('of %j', (target, attributes) => {
    expect(serverAddress(target)).toEqual(attributes);
  });
});
