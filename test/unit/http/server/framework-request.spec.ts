import { expect, it } from '@jest/globals';
import { registeredRoute, type FrameworkRequest } from '../../../../lib/http/server/framework-request.js';

it.each([
  [{ routeOptions: { url: '/users/:id' } }, '/users/:id'],
  [{ routeOptions: { url: '/files/*' } }, '/files/*'],
  [{ routeOptions: { url: '*' } }, undefined],
  [{ routeOptions: { url: '/*' } }, undefined],
  [{ routeOptions: {} }, undefined],
  [{ baseUrl: '', route: { path: '/users/:id' } }, '/users/:id'],
  [{ baseUrl: '/shop', route: { path: '/users/:id' } }, '/shop/users/:id'],
  [{ baseUrl: '/shop', route: { path: '/' } }, '/shop'],
  [{ baseUrl: '', route: { path: '/' } }, '/'],
  [{ baseUrl: '', route: { path: '/users/' } }, '/users'],
  [{ baseUrl: '/shop', url: '/users/7?a=/b', route: { path: '/users/:id' } }, '/shop/users/:id'],
  [{ baseUrl: '/shop', url: '/files/a/b', route: { path: '/files/*path' } }, '/shop/files/*path'],
  [{ baseUrl: '/shop', url: '/users', route: { path: '/users{/:id}' } }, '/shop/users{/:id}'],
  [{ baseUrl: '/shop', url: '/', route: { path: '/' } }, '/shop'],
  [{ baseUrl: '/a', url: '/a', route: { path: '/a' } }, '/a/a'],
  // The route belongs to middleware that was tried before.
  [{ baseUrl: '/Users', url: '/', route: { path: '/users/' } }, '/users'],
  [{ baseUrl: '/users/7', url: '/?a', route: { path: '/users/:id' } }, '/users/:id'],
  [{ baseUrl: '/users', url: '/7', route: { path: '/users/:id' } }, '/users/:id'],
  [{ baseUrl: '/users', url: '/7', route: { path: '/orders' } }, undefined],
  [{ baseUrl: '/shop', url: '/x', route: { path: '/(a' } }, undefined],
  [{ baseUrl: '/api', route: { path: '*path' } }, undefined],
  [{ baseUrl: '/api', route: { path: '/{*path}' } }, undefined],
  [{ route: { path: /^\/users/ } }, undefined],
  [{ route: { path: ['/a', '/b'] } }, undefined],
  [{ route: { path: '/files/*path' } }, '/files/*path'],
  [{}, undefined],
] as [FrameworkRequest, string | undefined][])('the route of %j is %s', (request, route) => {
  expect(registeredRoute(request)).toBe(route);
});
