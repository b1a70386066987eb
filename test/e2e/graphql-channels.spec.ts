import { hasSubscribers, tracingChannel } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { parse } from 'graphql';
import { Span, TracingModule, TracingService, type TracingOptions } from 'nestjs-tracing';
import { startHttpApp, untraced, type HttpApp } from '../support/http-app.js';
import { handler, server } from '../support/trace-tree.js';

/*
 * The channels of graphql 17, published as it does: the consumer `nest12-graphql17` has the package itself, which cannot be installed
 * beside the version that Apollo's and Mercurius' packages ask for.
 */
type Fn = () => unknown;

/** Publishes a call that returns a value or a promise, as graphql 17 does. */
function publishMixed(name: string, message: Record<string, unknown>, fn: Fn): unknown {
  const { asyncEnd, asyncStart, end, error, start } = tracingChannel(name);
  return start.runStores(message, () => {
    let result: unknown;
    try {
      result = fn();
    } catch (thrown) {
      message['error'] = thrown;
      error.publish(message);
      end.publish(message);
      throw thrown;
    }
    if (!(result instanceof Promise)) {
      message['result'] = result;
      end.publish(message);
      return result;
    }
    end.publish(message);
    return result.then(
      (value: unknown) => {
        message['result'] = value;
        asyncStart.publish(message);
        asyncEnd.publish(message);
        return value;
      },
      (thrown: unknown) => {
        message['error'] = thrown;
        error.publish(message);
        asyncStart.publish(message);
        asyncEnd.publish(message);
        throw thrown;
      },
    );
  });
}

const schema = { getQueryType: () => ({ name: 'Query', getFields: () => ({}) }) };

function execute(source: string, fn: Fn, operationName?: string): unknown {
  return publishMixed('graphql:execute', { schema, document: parse(source), operationName }, fn);
}

interface Incremental {
  readonly initialResult: object;
  readonly subsequentResults: AsyncGenerator<object, void, void>;
}

@Injectable()
class Work {
  @Span()
  async step(): Promise<object> {
    return { data: {} };
  }
}

@Controller()
class ReportController {
  constructor(
    private readonly work: Work,
    private readonly tracing: TracingService,
  ) {}

  @Get('two')
  async two(): Promise<void> {
    await execute('query First { a }', () => this.work.step());
    await execute('query A { a } query B { b }', () => this.work.step(), 'B');
  }

  @Get('sync')
  sync(): void {
    execute('mutation Sync { a }', () => ({ data: {} }));
  }

  @Get('throws')
  async throws(): Promise<unknown> {
    return execute('query Throws { a }', () => Promise.reject(new TypeError('no schema')));
  }

  @Get('unknown')
  unknown(): unknown {
    return execute('query A { a }', () => ({ errors: [{ message: 'Unknown operation named "secret".' }] }), 'secret');
  }

  /** Delivers two parts later, as `experimentalExecuteIncrementally()` does for `@defer` and `@stream`. */
  @Get('deferred')
  async deferred(): Promise<unknown[]> {
    const result = (await execute('query Deferred { a ... @defer { b c } }', () => this.deliver())) as Incremental;
    const parts: unknown[] = [result.initialResult];
    for await (const part of result.subsequentResults) parts.push(part);
    return parts;
  }

  /** Asks for no more than the first part. */
  @Get('left')
  async left(): Promise<void> {
    const result = (await execute('query Left { a ... @defer { b c } }', () => this.deliver())) as Incremental;
    await result.subsequentResults.next();
    await result.subsequentResults.return();
  }

  private async deliver(): Promise<Incremental> {
    const { work } = this;
    async function* later(): AsyncGenerator<object, void, void> {
      await work.step();
      const error = Object.assign(new Error('wrapped'), { path: ['b'], originalError: new RangeError('no b') });
      yield { incremental: [{ id: '0', data: { b: null }, errors: [error] }], hasNext: true };
      yield {
        completed: [{ id: '1', errors: [{ path: ['c'], originalError: new TypeError('no c') }] }],
        hasNext: false,
      };
    }
    return { initialResult: { data: { a: 1 }, hasNext: true }, subsequentResults: later() };
  }

  @Get('root')
  async root(): Promise<void> {
    await this.tracing.span('outer', () => execute('{ a }', () => this.work.step()), { root: true });
  }
}

describe('an operation that graphql 17 announces', () => {
  let app: HttpApp;
  const start = async (tracing: Omit<TracingOptions, 'exporter'> = {}) => {
    app = await startHttpApp('Express', { controllers: [ReportController], providers: [Work], tracing });
  };
  afterEach(() => app.close());

  const step = { name: 'Work.step' };
  const named = (name: string | undefined) => ({ 'graphql.operation.name': name });

  it('of a handler has a span there, and the first one is shown by the request, which keeps its name', async () => {
    await start();
    await app.request('/two');
    const first = { name: 'query First', attributes: named('First'), children: [step] };
    const second = { name: 'query B', attributes: named('B'), children: [step] };
    await app.traces.expect({
      ...server('GET /two', 200, handler('ReportController.two', first, second)),
      attributes: { ...named('First'), 'graphql.operation.type': 'query', 'http.route': '/two' },
    });
  });

  it('of a trace that a handler begins is no part of the request', async () => {
    await start();
    await app.request('/root');
    await app.traces.expect(
      { ...server('GET /root', 200, handler('ReportController.root')) },
      { name: 'outer', children: [{ name: 'query', children: [step] }] },
    );
  });

  it('that is over when it returns has a span', async () => {
    await start();
    await app.request('/sync');
    await app.traces.expect(server('GET /sync', 200, handler('ReportController.sync', { name: 'mutation Sync' })));
  });

  it('that is delivered in parts lasts until the last one, and has the errors of all', async () => {
    await start();
    const { body } = await app.request('/deferred');
    expect(JSON.parse(body)).toMatchObject([{ data: { a: 1 } }, { hasNext: true }, { hasNext: false }]);
    await app.traces.expect(
      server(
        'GET /deferred',
        200,
        handler('ReportController.deferred', {
          name: 'query Deferred',
          status: 'ERROR',
          attributes: { 'graphql.error.count': 2, 'error.type': 'RangeError' },
          events: ['exception RangeError: no b', 'exception TypeError: no c'],
          children: [step],
        }),
      ),
    );
    await app.request('/left');
    const left = { name: 'query Left', status: 'ERROR', events: ['exception RangeError: no b'], children: [step] };
    await app.traces.expect(server('GET /left', 200, handler('ReportController.left', left)));
  });

  it('that rejects has the exception once', async () => {
    await start();
    await app.request('/throws');
    const events = ['exception TypeError: no schema'];
    const attributes = { 'error.type': 'TypeError' };
    await app.traces.expect(
      server(
        'GET /throws',
        { code: 500, attributes: { 'error.type': '500' } },
        {
          ...handler('ReportController.throws', { name: 'query Throws', status: 'ERROR', events, attributes }),
          status: expect.stringContaining('ERROR'),
        },
      ),
    );
  });

  it('that the document does not have is no operation, and its name is not recorded', async () => {
    await start();
    await app.request('/unknown');
    await app.traces.until((spans) => spans.length === 2);
    expect(JSON.stringify(app.traces.spans.map(({ attributes, events }) => [attributes, events]))).not.toContain(
      'secret',
    );
    expect(app.traces.named('GET /unknown').attributes).toMatchObject({ 'graphql.error.count': 1 });
  });

  it('has no span where tracing is suppressed or the trace is not sampled, and the same result', async () => {
    await start({ sampler: { ratio: 0 } });
    const result = { data: {} };
    expect(execute('{ a }', () => result)).toBe(result);
    expect(untraced(() => execute('{ a }', () => result))).toBe(result);
    await app.request('/two');
    expect(app.traces.spans).toEqual([]);
  });

  it('cannot break the application by a document that is none', async () => {
    await start();
    const result = publishMixed('graphql:execute', { schema, document: undefined }, () => 1);
    expect(result).toBe(1);
    expect(publishMixed('graphql:execute:rootSelectionSet', {}, () => 2)).toBe(2);
    expect(publishMixed('graphql:subscribe', {}, () => 3)).toBe(3);
  });

  it('is traced with the settings of the newest application, until the last one has shut down', async () => {
    await start({ graphql: { operationNames: false } });
    @Module({ imports: [TracingModule.forRoot({ serviceName: 'other', exporter: app.traces, http: false })] })
    class OtherModule {}
    const other = await NestFactory.createApplicationContext(OtherModule, { logger: false });
    const tracing = app.app.get(TracingService);
    const run = () => tracing.span('job', () => execute('query Named { a }', () => ({ data: {} })));
    run();
    await app.traces.expect({ name: 'job', children: [{ name: 'query Named' }] });
    await other.close();
    run();
    await app.traces.expect({ name: 'job', children: [{ name: 'query' }] });
    await app.close();
    for (const part of ['execute', 'subscribe', 'parse', 'validate', 'resolve', 'execute:rootSelectionSet']) {
      for (const event of ['start', 'end', 'asyncStart', 'asyncEnd', 'error'])
        expect([part, event, hasSubscribers(`tracing:graphql:${part}:${event}`)]).toEqual([part, event, false]);
    }
  });

  it('is not followed if the option says so', async () => {
    await start({ graphql: false });
    expect(hasSubscribers('tracing:graphql:execute:start')).toBe(false);
    await app.request('/two');
    await app.traces.expect(server('GET /two', 200, handler('ReportController.two', step, step)));
  });
});
