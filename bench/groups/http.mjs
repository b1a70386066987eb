import { chooseClassic, chooseHttp } from '../support/choose.mjs';
import { measureSetups } from '../support/measure-setups.mjs';
import { ratioTable } from '../support/tables.mjs';

const PATH = '/users/42';
const CONNECTIONS = 8;

/** Makes the load generator send requests to a server, for some milliseconds. */
export function request(server, milliseconds) {
  return server.backend.request({ port: server.port, path: PATH, connections: CONNECTIONS, milliseconds });
}

/** Measures `GET /users/:id` on one platform, in all its set-ups. */
export function httpGroup(platform) {
  return {
    name: `http-${platform}`,
    title: `HTTP on ${platform === 'fastify' ? 'Fastify' : 'Express'}`,
    setups: (context) => chooseHttp(platform, context),
    open: () => ({ place: { app: 'http', platform }, work: request, close: () => {} }),
    async run(context) {
      const { places } = context;
      return {
        platform,
        versions: places.versions({}, ['@nestjs/core', `@nestjs/platform-${platform}`, '@opentelemetry/sdk-trace']),
        ...(await measureSetups(context, this)),
      };
    },
    render: ratioTable,
  };
}

/** Measures the same with Nest 11 as CommonJS, where OpenTelemetry's instrumentations see most. */
export function classicGroup(platform) {
  return {
    ...httpGroup(platform),
    name: `classic-${platform}`,
    title: `HTTP on ${platform === 'fastify' ? 'Fastify' : 'Express'} with Nest 11, as CommonJS`,
    firstNodeOnly: true,
    setups: (context) => chooseClassic(platform, context),
    async run(context) {
      if (!context.peers) return undefined;
      const [bare] = this.setups(context);
      context.places.of(bare);
      return {
        platform,
        versions: context.places.versions(bare, [
          '@nestjs/core',
          `@nestjs/platform-${platform}`,
          '@opentelemetry/sdk-trace',
        ]),
        ...(await measureSetups(context, this)),
      };
    },
  };
}
