/** What fails in listeners, handlers and sagas ends where it ends without tracing. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import {
  CommandBus,
  CommandHandler,
  CqrsModule,
  EventBus,
  EventsHandler,
  ofType,
  QueryBus,
  QueryHandler,
  Saga,
  UnhandledExceptionBus,
} from '@nestjs/cqrs';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { map, type Observable } from 'rxjs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Errors, startTracedContext, type ContextOptions, type TracedContext } from '../support/traced-context.js';
import { failed } from '../support/trace-tree.js';
import { unhandledRejections } from '../support/unhandled-rejections.js';

const failure = new RangeError('too far');

const notSuppressed = { suppressErrors: false };

@Injectable()
class Listeners {
  @OnEvent('throws', notSuppressed)
  throws(): never {
    throw failure;
  }

  @OnEvent('rejects', notSuppressed)
  async rejects(): Promise<never> {
    await nextTurn();
    throw failure;
  }

  @OnEvent('later', { ...notSuppressed, async: true })
  later(): never {
    throw failure;
  }

  @OnEvent('suppressed')
  async suppressed(): Promise<never> {
    await nextTurn();
    throw failure;
  }
}

class Move {
  readonly type = 'Move';
}
class Count {
  readonly type = 'Count';
}
class Moved {
  readonly type = 'Moved';
}
class Stopped {
  readonly type = 'Stopped';
}
class Asked {
  readonly type = 'Asked';
}

@CommandHandler(Move)
class MoveHandler {
  async execute(): Promise<never> {
    await nextTurn();
    throw failure;
  }
}

@QueryHandler(Count)
class CountHandler {
  async execute(): Promise<never> {
    await nextTurn();
    throw failure;
  }
}

@EventsHandler(Moved)
class MovedHandler {
  async handle(): Promise<never> {
    await nextTurn();
    throw failure;
  }
}

@Injectable()
class Sagas {
  @Saga()
  asking = (events: Observable<object>): Observable<Move> =>
    events.pipe(
      ofType(Asked),
      map(() => new Move()),
    );

  @Saga()
  stopping = (events: Observable<object>): Observable<Move> =>
    events.pipe(
      ofType(Stopped),
      map(() => {
        throw failure;
      }),
    );
}

let context: TracedContext | undefined;
afterEach(async () => {
  await context?.close();
  context = undefined;
});

async function start(tracing: ContextOptions['tracing'] = {}) {
  const logger = new Errors();
  context = await startTracedContext({
    tracing,
    logger,
    imports: [EventEmitterModule.forRoot(), CqrsModule.forRoot()],
    providers: [Listeners, MoveHandler, CountHandler, MovedHandler, Sagas],
  });
  const { app } = context;
  const reported: unknown[] = [];
  app.get(UnhandledExceptionBus).subscribe((info) => reported.push(info));
  return {
    ...context,
    logger,
    reported,
    commands: app.get(CommandBus),
    emitter: app.get(EventEmitter2),
    events: app.get(EventBus),
    queries: app.get(QueryBus),
  };
}

type Started = Awaited<ReturnType<typeof start>>;

const exceptions = ({ traces }: Started) =>
  traces.spans.flatMap(({ events, name }) => events.filter((event) => event.name === 'exception').map(() => name));

/** Waits until the failure has been reported, if anything reports it. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await nextTurn();
}

describe('a failure', () => {
  it.each<[string, (app: Started) => unknown, number, string]>([
    ['of a listener that throws', ({ emitter }) => emitter.emit('throws'), 1, 'Listeners.throws'],
    ['of a listener that rejects', ({ emitter }) => emitter.emit('rejects'), 1, 'Listeners.rejects'],
    ['of a listener that is called later', ({ emitter }) => emitter.emit('later'), 1, 'Listeners.later'],
    [
      'of a listener whose errors are suppressed',
      ({ emitter }) => emitter.emit('suppressed'),
      0,
      'Listeners.suppressed',
    ],
    ['of a command that is not awaited', ({ commands }) => void commands.execute(new Move()), 1, 'MoveHandler.execute'],
    ['of a query that is not awaited', ({ queries }) => void queries.execute(new Count()), 1, 'CountHandler.execute'],
    ['of the handler of an event', ({ events }) => void events.publish(new Moved()), 0, 'MovedHandler.handle'],
    ['of the command of a saga', ({ events }) => void events.publish(new Asked()), 0, 'MoveHandler.execute'],
  ])('%s is unhandled and reported as without tracing, and recorded once', async (_name, cause, count, span) => {
    const outcomes: unknown[] = [];
    for (const tracing of [false, {}] as const) {
      const app = await start(tracing);
      const unhandled = await unhandledRejections(async () => {
        app.inSpan('publisher', () => void cause(app));
        await turns();
      });
      expect(unhandled).toEqual(Array.from({ length: count }, () => failure));
      outcomes.push([app.reported.map(String), app.reported.length, app.logger.messages]);
      if (tracing) {
        await app.traces.until((spans) => spans.length === 2);
        expect(exceptions(app)).toEqual([span]);
        expect(app.traces.named('publisher').status.code).toBe(0);
        expect(app.traces.named(span).parentSpanContext?.spanId).toBe(
          app.traces.named('publisher').spanContext().spanId,
        );
      }
      await app.close();
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
  });

  it('of a saga itself ends the saga as without tracing, and is no failure of the publisher', async () => {
    for (const tracing of [false, {}] as const) {
      const app = await start(tracing);
      app.inSpan('publisher', () => app.events.publish(new Stopped()));
      app.inSpan('publisher', () => app.events.publish(new Stopped()));
      expect(app.reported).toEqual([{ cause: 'stopping', exception: failure }]);
      expect(app.logger.messages).toHaveLength(1);
      if (tracing) await app.traces.expect({ name: 'publisher' }, { name: 'publisher' });
      await app.close();
    }
  });

  it('that reaches the publisher has its details only where it was thrown', async () => {
    const { emitter, inSpan, traces } = await start();
    await expect(inSpan('publisher', () => emitter.emitAsync('rejects'))).rejects.toBe(failure);
    const child = failed({ name: 'Listeners.rejects' }, 'RangeError: too far');
    await traces.expect(failed({ name: 'publisher', children: [child] }, 'RangeError: too far', 'further in'));
  });
});

describe('a listener that is added by hand', () => {
  it('once, first, or with a promise, is called in the context of the publisher, and holds nothing of it', async () => {
    const { emitter, inSpan, traces } = await start();
    const called: string[] = [];
    const { trace } = await import('@opentelemetry/api');
    const note = (name: string) => () => {
      called.push(name);
      trace.getActiveSpan()?.addEvent(name);
    };
    emitter.on('by hand', note('on'));
    emitter.once('by hand', note('once'));
    emitter.prependListener('by hand', note('first'));
    emitter.onAny(note('any'));
    inSpan('publisher', () => emitter.emit('by hand'));
    inSpan('publisher', () => emitter.emit('by hand'));
    expect(called).toEqual(['any', 'first', 'on', 'once', 'any', 'first', 'on']);
    await traces.expect(
      { name: 'publisher', events: called.slice(0, 4) },
      { name: 'publisher', events: called.slice(4) },
    );
  });
});
