import { describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Scope } from '@nestjs/common';
import { CommandBus, CommandHandler, CqrsModule, EventBus, EventsHandler } from '@nestjs/cqrs';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import type { TracingOptions } from 'nestjs-tracing';
import { heapGrowth } from '../support/heap.js';
import { Errors, startTracedContext, type TracedContext } from '../support/traced-context.js';

/** Less than 1000 spans take, in bytes. */
const LITTLE = 300_000;

class Count {
  constructor(readonly left: number) {}
}
class Counted {
  constructor(readonly left: number) {}
}

@Injectable()
class Recursive {
  static deepest = 0;
  constructor(@Inject(EventEmitter2) private readonly emitter: EventEmitter2) {}

  @OnEvent('deeper')
  deeper(depth: number): void {
    Recursive.deepest = depth;
    if (depth < 600) this.emitter.emit('deeper', depth + 1);
  }

  @OnEvent('again')
  async again(left: number, done: () => void): Promise<void> {
    if (left === 0) done();
    else setImmediate(() => this.emitter.emit('again', left - 1, done));
  }
}

@CommandHandler(Count)
class CountHandler {
  constructor(@Inject(EventBus) private readonly events: EventBus) {}
  async execute({ left }: Count): Promise<number> {
    this.events.publish(new Counted(left));
    return left;
  }
}

@EventsHandler(Counted)
class CountedHandler {
  static done: () => void = () => {};
  constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}
  async handle({ left }: Counted): Promise<void> {
    if (left === 0) CountedHandler.done();
    else setImmediate(() => void this.commands.execute(new Count(left - 1)));
  }
}

@Injectable({ scope: Scope.REQUEST })
class Broken {
  constructor(@Inject('MISSING_AT_RUN_TIME') private readonly dependency: unknown) {}

  @OnEvent('broken', { suppressErrors: false })
  handle(): unknown {
    return this.dependency;
  }
}

const brokenDependency = {
  provide: 'MISSING_AT_RUN_TIME',
  scope: Scope.REQUEST,
  useFactory: () => {
    throw new Error('no dependency');
  },
};

async function withContext(
  tracing: Omit<TracingOptions, 'exporter'> | false,
  use: (context: TracedContext, emitter: EventEmitter2, commands: CommandBus) => Promise<void>,
): Promise<void> {
  const context = await startTracedContext({
    tracing,
    logger: new Errors(),
    imports: [EventEmitterModule.forRoot(), CqrsModule.forRoot()],
    providers: [Recursive, CountHandler, CountedHandler, Broken, brokenDependency],
  });
  try {
    await use(context, context.app.get(EventEmitter2), context.app.get(CommandBus));
  } finally {
    await context.close();
  }
}

describe('events', () => {
  it('nest as deep as without tracing', async () => {
    for (const tracing of [false, {}] as const) {
      await withContext(tracing, async ({ traces }, emitter) => {
        Recursive.deepest = 0;
        emitter.emit('deeper', 1);
        expect(Recursive.deepest).toBe(600);
        if (tracing) expect(traces.spans.length + traces.open.length).toBeLessThan(600);
      });
    }
  });

  it('have no spans in a trace that is not sampled, and the same results', async () => {
    await withContext({ sampler: 'always_off' }, async ({ inSpan, traces }, emitter, commands) => {
      await inSpan('sender', async () => {
        emitter.emit('deeper', 599);
        expect(await commands.execute(new Count(0))).toBe(0);
      });
      expect(traces.spans).toEqual([]);
    });
  });

  it('that cause one another for ever hold nothing of those before', async () => {
    await withContext({}, async ({ traces }, emitter, commands) => {
      const again = async () => {
        await new Promise<void>((done) => emitter.emit('again', 1000, done));
        traces.reset();
      };
      const count = async () => {
        await new Promise<void>((resolve) => {
          CountedHandler.done = resolve;
          void commands.execute(new Count(1000));
        });
        traces.reset();
      };
      await again();
      await count();
      expect(await heapGrowth(again)).toBeLessThan(LITTLE);
      expect(await heapGrowth(count)).toBeLessThan(LITTLE);
    });
    // The garbage collections take their time on a busy machine.
  }, 60_000);

  it.each([[false as const], [{}]])(
    'fail like this if an instance cannot be created, with tracing: %j',
    async (tracing) => {
      await withContext(tracing, async (_context, emitter) => {
        await expect(emitter.emitAsync('broken')).rejects.toThrow('no dependency');
      });
    },
  );
});
