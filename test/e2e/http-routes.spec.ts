import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  All,
  Controller,
  Get,
  Head,
  Header,
  Module,
  Post,
  Redirect,
  RequestMethod,
  Res,
  Scope,
  Version,
  VersioningType,
  type VersioningOptions,
} from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Apps } from '../support/apps.js';
import { httpPlatforms, startHttpApp, withHttpApp, type HttpApp, type HttpAppOptions } from '../support/http-app.js';
import { RawClient } from '../support/raw-client.js';
import { handler, server } from '../support/trace-tree.js';

interface AnyResponse {
  status(code: number): { send(body: string): void };
  send(body: string): void;
}

@Controller('users')
class UsersController {
  @Get()
  list() {
    return [];
  }
  @Get(':id')
  one() {
    return { id: 1 };
  }
  @Post()
  create() {
    return 'made';
  }
  @Head('only/head')
  onlyHead() {}
  @Get(':id/files/*')
  file() {
    return 'file';
  }
  @Get(['alpha/x', 'beta/x'])
  several() {
    return 'several';
  }
  @Get('own/response')
  own(@Res() response: AnyResponse) {
    response.status(202).send('own');
  }
  @Get('go/away')
  @Redirect('/users', 301)
  away() {}
  @Get('go/anywhere')
  @Redirect()
  anywhere() {
    return { url: '/users/1', statusCode: 307 };
  }
  @Get('with/header')
  @Header('x-kind', 'test')
  withHeader() {
    return 'x';
  }
  @All('any/method')
  any() {
    return 'any';
  }
}

@Controller(['cats', 'felines'])
class CatsController {
  @Get(':id')
  one() {
    return 'cat';
  }
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
class ScopedController {
  @Get(':id')
  one() {
    return 'scoped';
  }
}

@Controller({ path: 'tenant', host: ':tenant.example.test' })
class TenantController {
  @Get('home')
  home() {
    return 'tenant';
  }
}

@Controller()
class HealthController {
  @Get('health')
  health() {
    return 'fine';
  }
  @Get()
  root() {
    return 'root';
  }
}

@Module({ controllers: [CatsController] })
class NestedModule {}

const controllers = [UsersController, CatsController, ScopedController, TenantController, HealthController];

describe.each(httpPlatforms)('routes on %s', (platform) => {
  describe('of an application without a prefix', () => {
    let http: HttpApp;

    beforeAll(async () => {
      http = await startHttpApp(platform, { controllers, prepare: addRawRoutes });
    });
    afterAll(() => http.close());

    it.each([
      ['GET', '/users', 'GET /users', 200, 'UsersController.list'],
      ['GET', '/users/42', 'GET /users/:id', 200, 'UsersController.one'],
      ['GET', '/users/42?x=1', 'GET /users/:id', 200, 'UsersController.one'],
      ['POST', '/users', 'POST /users', 201, 'UsersController.create'],
      ['HEAD', '/users/42', 'HEAD /users/:id', 200, 'UsersController.one'],
      ['HEAD', '/users/only/head', 'HEAD /users/only/head', 200, 'UsersController.onlyHead'],
      ['GET', '/users/1/files/a/b.txt', 'GET /users/:id/files/*', 200, 'UsersController.file'],
      ['GET', '/users/alpha/x', 'GET /users/alpha/x', 200, 'UsersController.several'],
      ['GET', '/users/beta/x', 'GET /users/beta/x', 200, 'UsersController.several'],
      ['GET', '/users/own/response', 'GET /users/own/response', 202, 'UsersController.own'],
      ['GET', '/users/go/away', 'GET /users/go/away', 301, 'UsersController.away'],
      ['GET', '/users/go/anywhere', 'GET /users/go/anywhere', 307, 'UsersController.anywhere'],
      ['GET', '/users/with/header', 'GET /users/with/header', 200, 'UsersController.withHeader'],
      ['PUT', '/users/any/method', 'PUT /users/any/method', 200, 'UsersController.any'],
      ['GET', '/cats/1', 'GET /cats/:id', 200, 'CatsController.one'],
      ['GET', '/felines/1', 'GET /felines/:id', 200, 'CatsController.one'],
      ['GET', '/scoped/1', 'GET /scoped/:id', 200, 'ScopedController.one'],
      ['GET', '/', 'GET /', 200, 'HealthController.root'],
    ])('%s %s', async (method, path, name, code, controllerMethod) => {
      await http.request(path, { method });
      await http.traces.expect(server(name, code, handler(controllerMethod)));
    });

    it.each([
      ['GET', '/nowhere'],
      ['DELETE', '/users/42'],
      ['GET', '/users/1/2/3/4'],
    ])('%s %s leads nowhere, so there is no route', async (method, path) => {
      await http.request(path, { method });
      await http.traces.expect(server(method, { code: 404, attributes: { 'url.path': path } }));
    });

    it('tells what the request says', async () => {
      await http.request('/users/42?a=1&b=2', { headers: { 'user-agent': 'tester/1' } });
      await http.traces.expect(
        server(
          'GET /users/:id',
          {
            code: 200,
            attributes: {
              'http.request.method': 'GET',
              'http.request.method_original': undefined,
              'url.path': '/users/42',
              'url.query': 'a=1&b=2',
              'url.scheme': 'http',
              'server.address': '127.0.0.1',
              'server.port': http.port,
              'client.address': '127.0.0.1',
              'network.peer.address': '127.0.0.1',
              'network.peer.port': expect.any(Number),
              'network.protocol.version': '1.1',
              'user_agent.original': 'tester/1',
            },
          },
          handler('UsersController.one'),
        ),
      );
    });

    it('has the route of handlers that were registered past Nest', async () => {
      await http.request('/raw/1');
      await http.traces.expect(server('GET /raw/:id', 200));
    });

    it('has no route where such a handler says 404', async () => {
      await http.request('/raw-missing/1');
      await http.traces.expect(server('GET', 404));
    });

    it('takes a host-bound route for its host alone', async () => {
      const home = async (host: string) => {
        const client = await RawClient.connect(http.port);
        client.write(`GET /tenant/home HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
        await client.closed();
      };
      await home('acme.example.test:8080');
      await http.traces.expect(
        server(
          'GET /tenant/home',
          { code: 200, attributes: { 'server.address': 'acme.example.test', 'server.port': 8080 } },
          handler('TenantController.home'),
        ),
      );
      await home('elsewhere.test');
      await http.traces.expect(
        server('GET', {
          code: 404,
          attributes: { 'server.address': 'elsewhere.test', 'server.port': undefined },
          // Fastify cannot continue with another route, so Nest throws.
          events: platform === 'Fastify' ? ['exception NotFoundException: Cannot GET /tenant/home'] : [],
        }),
      );
    });

    it('names a method that is not known HTTP', async () => {
      const client = await RawClient.connect(http.port);
      client.send('PROPFIND /users', ['Connection: close']);
      await client.closed();
      await http.traces.expect({
        ...server('HTTP', 404),
        attributes: {
          'http.request.method': '_OTHER',
          'http.request.method_original': 'PROPFIND',
          'http.response.status_code': 404,
        },
      });
    });

    it('takes the path of an absolute target, without its credentials', async () => {
      const client = await RawClient.connect(http.port);
      client.send('GET http://user:secret@elsewhere.test/users/7?x=1', ['Connection: close']);
      await client.closed();
      await http.traces.until((spans) => spans.some((span) => span.name.startsWith('GET')));
      const span = http.traces.take().find((it) => it.name.startsWith('GET'));
      expect(span?.attributes).toMatchObject({ 'url.path': '/users/7', 'url.query': 'x=1' });
      expect(JSON.stringify(span?.attributes)).not.toContain('secret');
    });

    it('survives a target that no router understands', async () => {
      for (const target of ['/%', '/a%ZZ', '//', '*', '/users/%E0%A4%A', '/?', '/users?%=%']) {
        const client = await RawClient.connect(http.port);
        client.send(`${target === '*' ? 'OPTIONS' : 'GET'} ${target}`, ['Connection: close']);
        const answer = await client.closed();
        await http.traces.until((spans) => spans.some((span) => span.attributes['http.response.status_code']), target);
        const servers = http.traces.take().filter((span) => span.attributes['http.response.status_code']);
        expect(servers).toHaveLength(1);
        expect(servers[0]!.attributes['http.response.status_code']).toBe(Number(answer.split(' ')[1]));
        expect(servers[0]!.attributes['url.path']).toBe(target.split('?')[0]);
      }
    });

    it('is not bothered by "Expect: 100-continue"', async () => {
      const client = await RawClient.connect(http.port);
      client.send('POST /users', ['Expect: 100-continue', 'Content-Length: 0', 'Connection: close']);
      await client.closed();
      await http.traces.expect(server('POST /users', 201, handler('UsersController.create')));
    });
  });

  it('have the global prefix, unless they are excluded from it', async () => {
    const options: HttpAppOptions = {
      controllers,
      prepare: (app) => app.setGlobalPrefix('api', { exclude: [{ path: 'health', method: RequestMethod.GET }] }),
    };
    await withHttpApp(platform, options, async (http) => {
      await http.request('/api/users/1');
      await http.traces.expect(server('GET /api/users/:id', 200, handler('UsersController.one')));
      await http.request('/health');
      await http.traces.expect(server('GET /health', 200, handler('HealthController.health')));
      await http.request('/api/nowhere');
      await http.traces.expect(server('GET', { code: 404, attributes: { 'url.path': '/api/nowhere' } }));
      await http.request('/users/1');
      await http.traces.expect(server('GET', { code: 404, attributes: { 'url.path': '/users/1' } }));
    });
  });

  it('have the path that RouterModule gives a module', async () => {
    const imports = [NestedModule, RouterModule.register([{ path: 'zoo', module: NestedModule }])];
    await withHttpApp(platform, { imports }, async (http) => {
      await http.request('/zoo/cats/1');
      await http.traces.expect(server('GET /zoo/cats/:id', 200, handler('CatsController.one')));
    });
  });

  describe('with versions', () => {
    @Controller({ path: 'things', version: '1' })
    class ThingsV1Controller {
      @Get(':id')
      one() {
        return 'v1';
      }
    }

    @Controller({ path: 'things', version: ['2', '3'] })
    class ThingsV2Controller {
      @Get(':id')
      one() {
        return 'v2';
      }
      @Version('4')
      @Get(':id/next')
      next() {
        return 'v4';
      }
    }

    const versioned = (versioning: VersioningOptions): HttpAppOptions => ({
      controllers: [ThingsV1Controller, ThingsV2Controller],
      prepare: (app) => {
        app.setGlobalPrefix('api');
        app.enableVersioning(versioning);
      },
    });

    it('in the URI', async () => {
      await withHttpApp(platform, versioned({ type: VersioningType.URI }), async (http) => {
        for (const [path, name, method] of [
          ['/api/v1/things/9', 'GET /api/v1/things/:id', 'ThingsV1Controller.one'],
          ['/api/v2/things/9', 'GET /api/v2/things/:id', 'ThingsV2Controller.one'],
          ['/api/v3/things/9', 'GET /api/v3/things/:id', 'ThingsV2Controller.one'],
          ['/api/v4/things/9/next', 'GET /api/v4/things/:id/next', 'ThingsV2Controller.next'],
        ] as const) {
          await http.request(path);
          await http.traces.expect(server(name, 200, handler(method)));
        }
        await http.request('/api/v9/things/9');
        await http.traces.expect(server('GET', 404));
      });
    });

    it.each([
      [
        'a header',
        { type: VersioningType.HEADER, header: 'x-version' },
        (version: string) => ({ 'x-version': version }),
      ],
      [
        'the media type',
        { type: VersioningType.MEDIA_TYPE, key: 'v=' },
        (version: string) => ({ accept: `application/json;v=${version}` }),
      ],
      [
        'the application',
        { type: VersioningType.CUSTOM, extractor: (request: unknown) => versionFrom(request) },
        (version: string) => ({ 'x-custom': version }),
      ],
    ] as const)('in %s', async (_name, versioning, headersFor) => {
      await withHttpApp(platform, versioned(versioning), async (http) => {
        for (const [version, method] of [
          ['1', 'ThingsV1Controller.one'],
          ['2', 'ThingsV2Controller.one'],
          ['3', 'ThingsV2Controller.one'],
        ] as const) {
          await http.request('/api/things/9', { headers: headersFor(version) });
          await http.traces.expect(server('GET /api/things/:id', 200, handler(method)));
        }
        // Nest reports every candidate, but none of them took the request.
        await http.request('/api/things/9', { headers: headersFor('9') });
        await http.traces.expect(server('GET', 404));
      });
    });
  });
});

describe('routes on Express', () => {
  it('keep the whole path where another application is mounted below one', async () => {
    const prepare: HttpAppOptions['prepare'] = (app) => {
      const mounted = new ExpressAdapter();
      mounted.get('/things/:id', (_request: unknown, response: AnyResponse) => response.send('mounted'));
      mounted.get('/', (_request: unknown, response: AnyResponse) => response.send('root'));
      app.use('/mounted', mounted.getInstance());
      app.use('/rewritten', (request: IncomingMessage, response: ServerResponse) => {
        request.method = 'PUT';
        request.url = '/somewhere/else';
        response.end('x');
      });
    };
    await withHttpApp('Express', { prepare }, async (http) => {
      await http.request('/mounted/things/1?x=1');
      const attributes = { 'url.path': '/mounted/things/1', 'url.query': 'x=1' };
      await http.traces.expect(server('GET /mounted/things/:id', { code: 200, attributes }));
      await http.request('/mounted');
      await http.traces.expect(server('GET /mounted', 200));
      await http.request('/rewritten/a');
      await http.traces.expect(server('GET /rewritten', { code: 200, attributes: { 'url.path': '/rewritten/a' } }));
    });
  });
});

describe('routes on Fastify', () => {
  it('are not there for what Fastify answers before any hook', async () => {
    await withHttpApp('Fastify', { controllers: [UsersController] }, async (http) => {
      await http.request(`/users/${'x'.repeat(200)}`);
      await http.traces.expect(server('GET', 414));
    });
  });

  it('come with requests that go over no socket', async () => {
    // The application runs in its own process, because Jest cannot load the packages for this on every version of Node.
    const apps = new Apps();
    try {
      const { stdout } = await apps.run('inject');
      expect(JSON.parse(stdout)).toEqual({
        answers: [200, 404, 200],
        spans: [
          { name: 'UsersController.one', kind: 'INTERNAL', child: true },
          { name: 'GET /users/:id', kind: 'SERVER', code: 200, child: false },
          { name: 'GET', kind: 'SERVER', code: 404, child: false },
          { name: 'UsersController.one', kind: 'INTERNAL', child: true },
          { name: 'GET /users/:id', kind: 'SERVER', code: 200, child: false },
          { name: 'GET', kind: 'SERVER', code: 200, child: false },
        ],
      });
    } finally {
      apps.remove();
    }
  });
});

function addRawRoutes(app: Parameters<NonNullable<HttpAppOptions['prepare']>>[0]): void {
  const adapter = app.getHttpAdapter();
  adapter.get('/raw/:id', (_request: unknown, response: AnyResponse) => response.send('raw'));
  adapter.get('/raw-missing/:id', (_request: unknown, response: AnyResponse) => response.status(404).send('no'));
}

function versionFrom(request: unknown): string {
  const { headers } = request as { headers: Record<string, string> };
  return headers['x-custom'] ?? '';
}
