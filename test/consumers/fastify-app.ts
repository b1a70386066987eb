/** An application on Fastify whose routes have options. Its answers must be the same with tracing and without. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import {
  Controller,
  ForbiddenException,
  Get,
  Header,
  Module,
  NotFoundException,
  Param,
  ParseIntPipe,
  Post,
  Req,
  UseGuards,
  Version,
  VersioningType,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, RouteConfig, RouteConstraints, RouteSchema } from '@nestjs/platform-fastify';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { TracingModule, TracingService } from 'nestjs-tracing';

/** A guard that accepts only the handler of exactly this class. */
class IdentityGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    if (execution.getHandler() !== PricesController.prototype.identity) throw new ForbiddenException('another handler');
    return true;
  }
}

@Controller('prices')
class PricesController {
  @Version('1')
  @Get()
  first(): string {
    return 'first';
  }

  @Version('2')
  @Get()
  @Header('x-version', '2')
  second(): string {
    return 'second';
  }

  @Version(['1', '2'])
  @Get('limited')
  @RouteConfig({ limit: 7 })
  limited(@Req() request: { routeOptions: { config: object } }): object {
    return { limit: (request.routeOptions.config as { limit?: number }).limit };
  }

  @Version('1')
  @Get('internal')
  @RouteConstraints({ host: 'internal.example' })
  internal(): string {
    return 'internal';
  }

  @Version('1')
  @UseGuards(IdentityGuard)
  @Get('identity')
  identity(): string {
    return 'the same';
  }

  @Version('1')
  @Get('by-id/:id')
  byId(@Param('id', new ParseIntPipe({ errorHttpStatusCode: 404 })) id: number): number {
    if (id === 0) throw new NotFoundException('no such price');
    return id;
  }

  @Version('1')
  @Post('checked')
  @RouteSchema({ body: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } } })
  checked(): string {
    return 'accepted';
  }

  @Version('1')
  @Post('files/*')
  file(): string {
    return 'file';
  }
}

const exporter = new InMemorySpanExporter();

/** Method, path, version and further headers, and the name of the server span. */
const requests: [string, string, string, Record<string, string>, string][] = [
  ['GET', '/prices', '1', {}, 'GET /prices'],
  ['GET', '/prices', '2', {}, 'GET /prices'],
  ['GET', '/prices', '3', {}, 'GET'],
  ['GET', '/prices/limited', '2', {}, 'GET /prices/limited'],
  ['GET', '/prices/internal', '1', { host: 'internal.example' }, 'GET /prices/internal'],
  ['GET', '/prices/internal', '1', { host: 'public.example' }, 'GET'],
  ['GET', '/prices/identity', '1', {}, 'GET /prices/identity'],
  ['GET', '/prices/by-id/7', '1', {}, 'GET /prices/by-id/:id'],
  ['GET', '/prices/by-id/0', '1', {}, 'GET /prices/by-id/:id'],
  ['GET', '/prices/by-id/x', '1', {}, 'GET /prices/by-id/:id'],
  ['POST', '/prices/files/a/b', '1', {}, 'POST /prices/files/*'],
  ['POST', '/prices/checked', '1', { 'content-type': 'application/json' }, 'POST /prices/checked'],
  ['GET', '/nowhere', '1', {}, 'GET'],
];

async function answers(traced: boolean): Promise<{ answers: string[]; spans: ReadableSpan[] }> {
  @Module({
    imports: traced ? [TracingModule.forRoot({ exporter, http: { client: false } })] : [],
    controllers: [PricesController],
  })
  class AppModule {}
  const app = await NestFactory.create(AppModule, new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
  });
  app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const given: string[] = [];
  for (const [method, url, version, headers] of requests) {
    const payload = headers['content-type'] ? { payload: '{}' } : {};
    const injected = { method, url, headers: { 'x-version': version, ...headers }, ...payload };
    const response = await (app.getHttpAdapter().getInstance() as Injectable).inject(injected);
    given.push(`${response.statusCode} ${response.body}`);
  }
  assert.equal((await fetch(`http://127.0.0.1:${port}/prices`, { headers: { 'x-version': '2' } })).status, 200);
  if (traced) await app.get(TracingService).flush();
  const spans = exporter.getFinishedSpans();
  await app.close();
  return { answers: given, spans };
}

interface Injectable {
  inject(request: object): Promise<{ statusCode: number; body: string }>;
}

async function main(): Promise<void> {
  const bare = await answers(false);
  const traced = await answers(true);
  assert.deepEqual(traced.answers, bare.answers);
  assert.deepEqual(
    traced.answers.slice(0, 4).map((answer) => answer.slice(0, 3)),
    ['200', '200', '404', '200'],
  );
  assert(
    traced.answers.some((answer) => answer.startsWith('400')),
    'a body that breaks the schema of its route is refused',
  );
  const names = traced.spans.filter(({ kind }) => kind === 1).map(({ name }) => name);
  assert.deepEqual(
    names.slice(0, requests.length),
    requests.map(([, , , , name]) => name),
  );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
