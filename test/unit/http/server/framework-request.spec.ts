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
  [{ baseUrl: '/api', route: { path: '*path' } }, undefined],
  [{ baseUrl: '/api', route: { path: '/{*path}' } }, undefined],
  [{ route: { path: /^\/users/ } }, undefined],
  [{ route: { path: ['/a', '/b'] } }, undefined],
  [{ route: { path: '/files/*path' } }, '/files/*path'],
  [{}, undefined],
] as [FrameworkRequest, string | undefined][])('the route of %j is %s', (request, route) => {
  expect(registeredRoute(request)).toBe(route);
});
