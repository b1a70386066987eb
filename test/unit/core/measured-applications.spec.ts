import { afterEach, describe, expect, it } from '@jest/globals';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import type { Instances } from '../../../lib/core/application-instances.js';
import type { RegisteredApplication } from '../../../lib/core/application-registry.js';
import type { Instruments } from '../../../lib/core/instruments.js';
import {
  addMeasuredApplication,
  currentInstruments,
  instrumentsOf,
  type MeasuredApplication,
} from '../../../lib/core/measured-applications.js';
import { OperationContext } from '../../../lib/core/operation-context.js';

class Orders {
  readonly number = 1;
}

const instrumentsNamed = (name: string) => ({ name }) as unknown as Instruments;
const added: RegisteredApplication<MeasuredApplication>[] = [];

function start(instruments: Instruments | undefined, objects: object[] = [], classes: object[] = []): Instruments {
  const instances: Instances = {
    has: (target) => objects.includes(target as object),
    hasClassOf: (target) => classes.some((type) => type === target || type === target?.constructor),
  };
  const application = addMeasuredApplication({ instruments, instances });
  added.push(application);
  application.acquire();
  return instruments!;
}

afterEach(() => {
  for (const application of added.splice(0)) application.remove();
});

describe('the instruments of an object', () => {
  it('are those of the only application, whatever it has', () => {
    expect(instrumentsOf({})).toBeUndefined();
    const only = start(instrumentsNamed('only'));
    expect(instrumentsOf({})).toBe(only);
  });

  it('are those of the application that made it', () => {
    const [one, two] = [new Orders(), new Orders()];
    const first = start(instrumentsNamed('first'), [one], [Orders]);
    const second = start(instrumentsNamed('second'), [two], [Orders]);
    expect([instrumentsOf(one), instrumentsOf(two)]).toEqual([first, second]);
  });

  it('are none where that application measures nothing', () => {
    const order = new Orders();
    start(undefined, [order]);
    start(instrumentsNamed('other'));
    expect(instrumentsOf(order)).toBeUndefined();
  });

  it('are those of the only application that has its class, also for the class itself', () => {
    const first = start(instrumentsNamed('first'), [], [Orders]);
    start(instrumentsNamed('second'));
    expect([instrumentsOf(new Orders()), instrumentsOf(Orders)]).toEqual([first, first]);
  });

  it('are otherwise those of the application that serves the request', () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager());
    const first = start(instrumentsNamed('first'), [], [Orders]);
    const second = start(instrumentsNamed('second'), [], [Orders]);
    const serving = OperationContext.ofIncoming(context.active(), { instruments: first });
    expect(context.with(serving, () => instrumentsOf(new Orders()))).toBe(first);
    expect(instrumentsOf(new Orders())).toBe(second);
    context.disable();
  });

  it('are otherwise those of the newest application that measures', () => {
    const first = start(instrumentsNamed('first'));
    start(undefined);
    expect([instrumentsOf({}), instrumentsOf(undefined), currentInstruments()]).toEqual([first, first, first]);
  });
});

describe('an application whose start has not succeeded', () => {
  const none: Instances = { has: () => false, hasClassOf: () => false };

  it('makes room for the next one, and comes back if it starts after all', () => {
    const slow = addMeasuredApplication({ instruments: instrumentsNamed('slow'), instances: none });
    added.push(slow);
    const next = start(instrumentsNamed('next'));
    added.at(-1)?.remove();
    expect(currentInstruments()).toBeUndefined();
    added.at(-1)?.acquire();
    expect(currentInstruments()).toBe(next);
    slow.acquire();
    expect(currentInstruments()).toBe(slow.value.instruments);
  });
});
