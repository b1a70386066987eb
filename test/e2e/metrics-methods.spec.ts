import { Controller, Get, HttpCode, Injectable, UseGuards, type CanActivate } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Counted, NoSpan, Span, Timed, Traceable, TracingService } from 'nestjs-tracing';
import { lastValueFrom, throwError, timer, map, type Observable } from 'rxjs';
import { setTimeout as wait } from 'node:timers/promises';
import { startHttpApp, untraced, type HttpApp } from '../support/http-app.js';
import { Scrape } from '../support/scrape.js';
import { handler, server } from '../support/trace-tree.js';

interface Card {
  type: string;
}

class Open implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Injectable()
class PaymentsService {
  static readonly runs: string[] = [];

  @Timed()
  sync(): string {
    return 'sync';
  }

  @Timed()
  async takes(milliseconds: number): Promise<string> {
    await wait(milliseconds);
    return 'later';
  }

  @Timed()
  @Counted()
  fails(): never {
    throw new RangeError('too much');
  }

  @Counted()
  async rejects(): Promise<never> {
    return Promise.reject(new TypeError('no'));
  }

  @Timed()
  ticks(): Observable<number> {
    return timer(20).pipe(map(() => 1));
  }

  @Timed()
  breaks(): Observable<never> {
    return throwError(() => new SyntaxError('odd'));
  }

  @Timed()
  *counts(): Generator<number> {
    yield 1;
    yield 2;
  }

  @Timed('payment.duration', {
    description: 'Duration of payments.',
    buckets: [0.1, 1],
    attributes: { 'card.type': (card: Card) => card.type, channel: 'web' },
  })
  @Counted('payments', { attributes: { large: (_card: Card, amount: number) => amount > 100 } })
  pay(_card: Card, amount: number): number {
    return amount;
  }

  @Timed('broken.attributes', {
    attributes: {
      oops: (): string => {
        throw new Error('no attribute');
      },
    },
  })
  withBrokenAttributes(): string {
    return 'fine';
  }

  @Span()
  @Timed()
  traced(): string {
    return 'traced';
  }

  @NoSpan()
  @Timed()
  quiet(): string {
    return `quietly ${this.traced()}`;
  }

  @Counted()
  static ofTheClass(): string {
    return 'static';
  }
}

@Traceable()
class Everything {
  @Counted()
  one(): string {
    return 'one';
  }
}

@Controller('timed')
class TimedController {
  @Timed()
  @Get()
  @HttpCode(202)
  @UseGuards(Open)
  get(): string {
    return 'timed';
  }
}

describe('methods with a metric', () => {
  let http: HttpApp;
  let payments: PaymentsService;
  const start = async (metrics = true) => {
    http = await startHttpApp('Express', {
      controllers: [TimedController],
      providers: [PaymentsService],
      tracing: { metrics: metrics && { defaultMetrics: false } },
    });
    payments = http.app.get(PaymentsService);
  };
  beforeEach(() => start());
  afterEach(() => http.close());

  const scrape = () => untraced(() => Scrape.of(`${http.url}/metrics`));
  const timed = (found: Scrape, method: string, labels = {}) =>
    found.value('method_duration_seconds_count', { code_function_name: `PaymentsService.${method}`, ...labels });
  const sum = (found: Scrape, method: string) =>
    found.value('method_duration_seconds_sum', { code_function_name: `PaymentsService.${method}` });

  it('are timed until their work is done, whatever they return', async () => {
    expect(payments.sync()).toBe('sync');
    await expect(payments.takes(30)).resolves.toBe('later');
    const ticks = payments.ticks();
    expect(timed(await scrape(), 'ticks')).toBeUndefined();
    await lastValueFrom(ticks);
    await lastValueFrom(ticks);
    const counts = payments.counts();
    counts.next();
    expect(timed(await scrape(), 'counts')).toBeUndefined();
    expect([...counts]).toEqual([2]);
    const found = await scrape();
    expect(['sync', 'takes', 'ticks', 'counts'].map((method) => timed(found, method))).toEqual([1, 1, 2, 1]);
    expect(sum(found, 'takes')).toBeGreaterThan(0.025);
    expect(sum(found, 'ticks')).toBeGreaterThan(0.035);
    expect(found.types.get('method_duration_seconds')).toBe('histogram');
  });

  it('are counted by what they fail with, which stays what it is', async () => {
    expect(() => payments.fails()).toThrow(RangeError);
    await expect(payments.rejects()).rejects.toThrow('no');
    await expect(lastValueFrom(payments.breaks())).rejects.toThrow('odd');
    expect(PaymentsService.ofTheClass()).toBe('static');
    const found = await scrape();
    const calls = found.find('method_calls_total').map(({ labels, value }) => [labels, value]);
    expect(calls).toEqual([
      [{ code_function_name: 'PaymentsService.fails', error_type: 'RangeError' }, 1],
      [{ code_function_name: 'PaymentsService.rejects', error_type: 'TypeError' }, 1],
      [{ code_function_name: 'PaymentsService.ofTheClass' }, 1],
    ]);
    expect(timed(found, 'fails', { error_type: 'RangeError' })).toBe(1);
    expect(timed(found, 'breaks', { error_type: 'SyntaxError' })).toBe(1);
  });

  it('may have metrics of their own, with attributes of their arguments', async () => {
    expect(payments.pay({ type: 'visa' }, 7)).toBe(7);
    expect(payments.pay({ type: 'amex' }, 700)).toBe(700);
    const found = await scrape();
    expect(found.labels('payment_duration_seconds_count')).toEqual([
      { code_function_name: 'PaymentsService.pay', card_type: 'visa', channel: 'web' },
      { code_function_name: 'PaymentsService.pay', card_type: 'amex', channel: 'web' },
    ]);
    expect(
      found
        .labels('payment_duration_seconds_bucket')
        .map(({ le }) => le)
        .slice(0, 3),
    ).toEqual(['0.1', '1.0', '+Inf']);
    expect(found.text).toContain('# HELP payment_duration_seconds Duration of payments.\n');
    expect(found.labels('payments_total').map(({ large }) => large)).toEqual(['false', 'true']);
  });

  it('go on where an attribute breaks, which is left out', async () => {
    expect(payments.withBrokenAttributes()).toBe('fine');
    expect((await scrape()).labels('broken_attributes_seconds_count')).toEqual([
      { code_function_name: 'PaymentsService.withBrokenAttributes' },
    ]);
  });

  it('lead to the span that they are called in, if that is sampled', async () => {
    const tracing = http.app.get(TracingService);
    payments.sync();
    const outside = (await scrape()).exemplars('method_duration_seconds_bucket');
    expect(outside).toEqual([]);
    const inside = tracing.span('work', (span) => {
      payments.sync();
      payments.traced();
      return span.spanContext();
    });
    await http.traces.until((spans) => spans.length === 2);
    const found = await scrape();
    const led = (method: string) =>
      found.exemplars('method_duration_seconds_bucket', { code_function_name: `PaymentsService.${method}` })[0]!
        .exemplar.labels;
    expect(led('sync')).toEqual({ trace_id: inside.traceId, span_id: inside.spanId });
    const own = http.traces.named('PaymentsService.traced').spanContext();
    expect(led('traced')).toEqual({ trace_id: own.traceId, span_id: own.spanId });
  });

  it('get along with the other decorators', async () => {
    expect((await http.request('/timed')).status).toBe(202);
    expect(payments.quiet()).toBe('quietly traced');
    expect(new Everything().one()).toBe('one');
    await http.traces.expect(server('GET /timed', 202, handler('TimedController.get')), handler('Everything.one'));
    const found = await scrape();
    expect(found.value('method_duration_seconds_count', { code_function_name: 'TimedController.get' })).toBe(1);
    expect(found.value('method_calls_total', { code_function_name: 'Everything.one' })).toBe(1);
    expect([timed(found, 'quiet'), timed(found, 'traced')]).toEqual([1, 1]);
  });

  it('are left alone where nothing is measured', async () => {
    const promise = Promise.resolve(1);
    class Plain {
      @Timed()
      get(): Promise<number> {
        return promise;
      }
    }
    expect(new Plain().get()).not.toBe(promise);
    await http.close();
    await start(false);
    expect(payments.sync()).toBe('sync');
    expect(new Plain().get()).toBe(promise);
  });
});

describe('a decorator that is used wrongly', () => {
  it('says so where it stands', () => {
    expect(() => {
      class Wrong {
        @Timed('1st')
        method(): void {}
      }
      return Wrong;
    }).toThrow('@Timed() has the name "1st". Begin with a letter, and use letters, digits, ".", "_", "-", "/".');
    expect(() => {
      class Wrong {
        @Counted('twice', { attributes: { a: 1 } })
        one(): void {}
        @Counted('twice', { attributes: { b: 1 } })
        two(): void {}
      }
      return Wrong;
    }).toThrow(
      '@Counted() declares the metric "twice" with the attributes b; elsewhere it has a. Give it the same, or another name.',
    );
    expect(() => Timed()({}, 'arrow', {})).toThrow(
      '@Timed() stands on Object.arrow, which is a property, perhaps an arrow function.',
    );
  });
});
