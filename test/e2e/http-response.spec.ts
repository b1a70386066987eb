import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  Body,
  Catch,
  ConflictException,
  Controller,
  Get,
  Header,
  Headers,
  HttpCode,
  Injectable,
  Param,
  ParseIntPipe,
  Post,
  Query,
  Redirect,
  Res,
  Scope,
  Sse,
  StreamableFile,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { SpanKind } from '@opentelemetry/api';
import { Span } from 'nestjs-tracing';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { EMPTY, from, map, of, throwError, timer } from 'rxjs';
import { httpPlatforms, withHttpApp, type HttpAppOptions, type Platform } from '../support/http-app.js';

@Injectable()
class HeaderGuard implements CanActivate {
  canActivate(execution: ExecutionContext) {
    const { headers } = execution.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return headers['x-let-me-in'] === 'yes';
  }
}

class WrapInterceptor implements NestInterceptor {
  intercept(_execution: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(map((value: unknown) => ({ wrapped: value })));
  }
}

class CachedInterceptor implements NestInterceptor {
  intercept() {
    return of('from the cache');
  }
}

@Catch(ConflictException)
class ConflictFilter implements ExceptionFilter {
  catch(exception: ConflictException, host: ArgumentsHost) {
    const response = host.switchToHttp().getResponse<{ status(code: number): { send(body: object): void } }>();
    response.status(409).send({ conflict: exception.message });
  }
}

/** A thenable like a query builder: every call of `then` runs the query. */
class LazyQuery {
  static runs = 0;
  // oxlint-disable-next-line unicorn/no-thenable -- it is what the test is about
  then(onFulfilled: (value: string) => unknown) {
    LazyQuery.runs++;
    return Promise.resolve(`run ${LazyQuery.runs}`).then(onFulfilled);
  }
}

@Controller('answers')
class AnswersController {
  @Get('text')
  text() {
    return 'text';
  }
  @Get('json/:id')
  json(@Param('id') id: string, @Query('a') a: string, @Headers('x-kind') kind: string) {
    return { id, a, kind, nested: { list: [1, null, 'ü'] } };
  }
  @Get('number')
  number() {
    return 42;
  }
  @Get('null')
  null() {
    return null;
  }
  @Get('nothing')
  nothing() {}
  @Get('buffer')
  buffer() {
    return Buffer.from('bytes');
  }
  @Get('bigint')
  bigint() {
    return { big: 1n };
  }
  @Get('lazy')
  lazy() {
    return new LazyQuery();
  }
  @Get('observable')
  observable() {
    return from([1, 2, { last: true }]);
  }
  @Get('later')
  later() {
    return timer(1).pipe(map(() => ({ later: true })));
  }
  @Get('promised-observable')
  promisedObservable() {
    return Promise.resolve(of({ promised: true }));
  }
  @Get('empty')
  empty() {
    return EMPTY;
  }
  @Get('failing-observable')
  failingObservable() {
    return throwError(() => new ConflictException('taken'));
  }
  @Get('stream')
  stream() {
    return new StreamableFile(Readable.from(['a', 'b', 'c']), { type: 'text/csv', disposition: 'attachment' });
  }
  @Get('own')
  own(@Res() response: { status(code: number): { send(body: string): void } }) {
    response.status(203).send('own');
  }
  @Get('passthrough')
  passthrough(@Res({ passthrough: true }) response: { header(name: string, value: string): unknown }) {
    response.header('x-passed', 'through');
    return { passed: true };
  }
  @Get('redirect')
  @Redirect('/answers/text', 308)
  redirect() {}
  @Get('headers')
  @Header('x-one', '1')
  @Header('cache-control', 'max-age=5')
  headers() {
    return 'x';
  }
  @Sse('events')
  events() {
    return of({ data: 'one' }, { id: '7', type: 'kind', data: { two: 2 } });
  }
  @Post('echo')
  @HttpCode(202)
  echo(@Body() body: unknown) {
    return body ?? null;
  }
  @Get('parsed/:id')
  parsed(@Param('id', ParseIntPipe) id: number) {
    return { id };
  }
  @Get('guarded')
  @UseGuards(HeaderGuard)
  callSafely() {
    return 'in';
  }
  @Get('conflict')
  @UseFilters(ConflictFilter)
  conflict() {
    throw new ConflictException('taken');
  }
  @Get('error')
  error() {
    throw new Error('not to be seen');
  }
  @Get('wrapped')
  @UseInterceptors(WrapInterceptor)
  wrapped() {
    return 'x';
  }
  @Get('cached')
  @UseInterceptors(CachedInterceptor)
  cached() {
    return 'never';
  }
  @Get('traced')
  @Span()
  async traced() {
    await timer(1).toPromise();
    return 'traced';
  }
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
class ScopedController {
  private calls = 0;
  @Get()
  count() {
    return { calls: ++this.calls };
  }
}

interface Sent {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

const json = { 'content-type': 'application/json' };
const requests: Sent[] = [
  ...[
    'text',
    'json/7?a=b',
    'number',
    'null',
    'nothing',
    'buffer',
    'bigint',
    'lazy',
    'observable',
    'later',
    'promised-observable',
    'empty',
    'failing-observable',
    'stream',
    'own',
    'passthrough',
    'redirect',
    'headers',
    'events',
    'parsed/7',
    'parsed/x',
    'guarded',
    'conflict',
    'error',
    'wrapped',
    'cached',
    'traced',
    'nowhere',
    '%',
  ].map((path) => ({ path: `/answers/${path}` })),
  { path: '/scoped' },
  { path: '/' },
  { path: '/answers/guarded', headers: { 'x-let-me-in': 'yes' } },
  {
    path: '/answers/json/1',
    headers: { 'x-kind': 'a', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
  },
  { path: '/answers/text', headers: { origin: 'http://elsewhere.test' } },
  { method: 'HEAD', path: '/answers/text' },
  { method: 'HEAD', path: '/answers/stream' },
  { method: 'OPTIONS', path: '/answers/text' },
  {
    method: 'OPTIONS',
    path: '/answers/text',
    headers: { origin: 'http://elsewhere.test', 'access-control-request-method': 'GET' },
  },
  { method: 'PROPFIND', path: '/answers/text' },
  { method: 'DELETE', path: '/answers/text' },
  { method: 'POST', path: '/answers/echo', headers: json, body: '{"a":[1,2]}' },
  { method: 'POST', path: '/answers/echo', headers: json, body: '{"a":' },
  { method: 'POST', path: '/answers/echo', headers: json, body: JSON.stringify('x'.repeat(2_000_000)) },
  { method: 'POST', path: '/answers/echo', headers: { 'content-type': 'text/unknown' }, body: 'x' },
  { method: 'POST', path: '/answers/echo' },
];

describe.each(httpPlatforms)('the response on %s', (platform) => {
  let untraced: string[];
  let traced: string[];

  beforeAll(async () => {
    untraced = await answers(platform, false);
    traced = await answers(platform, { http: { requestHeaders: ['x-kind'], responseHeaders: ['x-one'] } });
  });

  it.each(
    requests.map(({ method = 'GET', path, headers, body }, index) => ({
      index,
      title: [method, path, JSON.stringify(headers), body?.slice(0, 20)].filter(Boolean).join(' '),
    })),
  )('is what it is without tracing: $title', ({ index }) => {
    expect(traced[index]).toBe(untraced[index]);
    expect(untraced[index]).toMatch(/^\d{3} /);
  });
});

async function answers(platform: Platform, tracing: HttpAppOptions['tracing']): Promise<string[]> {
  LazyQuery.runs = 0;
  const all: string[] = [];
  const options: HttpAppOptions = {
    tracing,
    controllers: [AnswersController, ScopedController],
    prepare: (app) => app.enableCors({ origin: 'http://elsewhere.test', credentials: true }),
  };
  await withHttpApp(platform, options, async (http) => {
    for (const sent of requests) all.push(await answer(http.port, sent));
    if (tracing === false) return;
    // Without a span for each request, the test would compare two applications without tracing.
    const served = () => http.traces.spans.filter(({ kind }) => kind === SpanKind.SERVER).length;
    await http.traces.until(() => served() >= requests.length, `${requests.length} requests, not ${served()}`);
    expect(served()).toBe(requests.length);
  });
  return all;
}

/** Everything that the client receives, with the headers in order, except for values that depend on the clock. */
async function answer(port: number, { method, path, headers, body }: Sent): Promise<string> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { port, host: '127.0.0.1', method, path, headers: { host: 'localhost', ...headers }, agent: false };
    httpRequest(options, resolve).on('error', reject).end(body);
  });
  const lines: string[] = [];
  for (let i = 0; i < response.rawHeaders.length; i += 2) {
    const [name = '', value = ''] = response.rawHeaders.slice(i, i + 2);
    lines.push(`${name}: ${name.toLowerCase() === 'date' ? 'now' : value}`);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const { statusCode, statusMessage } = response;
  return [`${statusCode} ${statusMessage}`, ...lines, '', Buffer.concat(chunks).toString('latin1')].join('\n');
}
