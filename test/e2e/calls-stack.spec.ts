import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Param, ParseIntPipe } from '@nestjs/common';
import { SpanKind } from '@opentelemetry/api';
import { Counted, NoSpan, Span, Traceable, TracingService } from 'nestjs-tracing';
import { Registry } from 'prom-client';
import { withHttpApp } from '../support/http-app.js';

const DEPTH = 5000;
/** The number of stack frames. It exceeds the default of V8, so that all frames between two methods are visible. */
const FRAMES = 100;

@Injectable()
class DeepService {
  @Span()
  spanned(left: number): number {
    return left === 0 ? 0 : 1 + this.spanned(left - 1);
  }
  @NoSpan()
  silent(left: number): number {
    return left === 0 ? 0 : 1 + this.silent(left - 1);
  }
  @Counted()
  counted(left: number): number {
    return left === 0 ? 0 : 1 + this.counted(left - 1);
  }
  @Span()
  ping(left: number): number {
    return left === 0 ? 0 : 1 + this.pong(left - 1);
  }
  @Span()
  pong(left: number): number {
    return left === 0 ? 0 : 1 + this.ping(left - 1);
  }
}

@Injectable()
@Traceable()
class TraceableService {
  deep(left: number): number {
    return left === 0 ? 0 : 1 + this.deep(left - 1);
  }
}

@Injectable()
class StackService {
  constructor(private readonly tracing: TracingService) {}

  @Span()
  outer(): string {
    return this.middle();
  }
  @Span()
  middle(): string {
    return this.inner();
  }
  @Span()
  inner(): string {
    return this.tracing.span('by hand', function byHand() {
      const { stackTraceLimit } = Error;
      Error.stackTraceLimit = FRAMES;
      const { stack } = new Error('here');
      Error.stackTraceLimit = stackTraceLimit;
      return stack!;
    });
  }
  @Span()
  async fails(): Promise<never> {
    throw new Error('broke');
  }
}
Reflect.defineMetadata('design:paramtypes', [TracingService], StackService);

@Controller()
class StackController {
  constructor(
    private readonly deep: DeepService,
    private readonly traceable: TraceableService,
    private readonly stacks: StackService,
  ) {}

  @Get('deep/:how/:depth')
  goDeep(@Param('how') how: keyof DeepService | 'traceable', @Param('depth', ParseIntPipe) depth: number): string {
    return String(how === 'traceable' ? this.traceable.deep(depth) : this.deep[how](depth));
  }
  @Get('stack')
  stack(): string {
    return this.stacks.outer();
  }
  @Get('fails')
  fails(): Promise<never> {
    return this.stacks.fails();
  }
}
Reflect.defineMetadata('design:paramtypes', [DeepService, TraceableService, StackService], StackController);

const app = { controllers: [StackController], providers: [DeepService, TraceableService, StackService] };

describe('a decorated method that calls itself', () => {
  it.each([
    ['is sampled', { metrics: { registry: new Registry(), path: false, defaultMetrics: false } }],
    ['is not sampled', { sampler: { ratio: 0 } }],
    ['is not traced', { enabled: false }],
  ] as const)('gets as deep as an application needs, where it %s', async (_name, tracing) => {
    await withHttpApp('Express', { ...app, tracing }, async (http) => {
      for (const how of ['spanned', 'silent', 'counted', 'ping', 'traceable']) {
        const { body, status } = await http.request(`/deep/${how}/${DEPTH}`);
        expect({ how, status, body }).toEqual({ how, status: 200, body: String(DEPTH) });
      }
      http.traces.reset();
    });
  });

  it('has its decorator on again when it is over', async () => {
    const before = Object.getOwnPropertyDescriptor(DeepService.prototype, 'spanned');
    await withHttpApp('Express', app, async (http) => {
      await http.request(`/deep/spanned/${DEPTH}`);
      http.traces.reset();
      expect(Object.getOwnPropertyDescriptor(DeepService.prototype, 'spanned')).toEqual(before);
      await http.request('/deep/spanned/2');
      const names = http.traces.take().map(({ name }) => name);
      expect(names.filter((name) => name === 'DeepService.spanned')).toHaveLength(3);
    });
  });
});

describe('a stack trace', () => {
  it('has at most two frames of the library for a traced call', async () => {
    await withHttpApp('Express', app, async (http) => {
      const { body } = await http.request('/stack');
      await http.traces.until((spans) => spans.some(({ kind }) => kind === SpanKind.SERVER));
      const traced = http.traces.take().map(({ name }) => name);
      const frames = body.split('\n').slice(1);
      const positionOf = (method: string) => frames.findIndex((frame) => frame.includes(`${method} (`));
      const order = ['byHand', 'StackService.inner', 'StackService.middle', 'StackService.outer'];
      // The wrapper of a method has the same name, so the test looks for the next method's frame of this file.
      const own = frames.flatMap((frame, index) => (frame.includes('calls-stack.spec') ? [index] : []));
      expect(positionOf('byHand')).toBe(0);
      expect(own.length).toBeGreaterThanOrEqual(order.length + 1);
      const between = own.slice(1, order.length + 1).map((position, index) => position - own[index]! - 1);
      for (const count of between) expect(count).toBeLessThanOrEqual(2);
      const names = ['StackService.inner', 'StackService.middle', 'StackService.outer'];
      expect(traced).toEqual(expect.arrayContaining(names));
    });
  });

  it('has none of them where it is exported', async () => {
    await withHttpApp('Express', app, async (http) => {
      await http.request('/fails');
      await http.traces.until((spans) => spans.length >= 3);
      const events = http.traces.take().flatMap((span) => span.events);
      expect(events).toHaveLength(1);
      const stacktrace = String(events[0]!.attributes?.['exception.stacktrace']);
      expect(stacktrace).toContain('calls-stack.spec');
      expect(stacktrace).not.toMatch(/[\\/]lib[\\/](core|decorators|handlers|http)[\\/]/);
    });
  });
});
