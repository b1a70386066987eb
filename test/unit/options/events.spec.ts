import { describe, expect, it } from '@jest/globals';
import { resolveEvents, type EventsOptions } from '../../../lib/options/events.js';
import { resolveLifecycle, type NestOptions } from '../../../lib/options/nest.js';
import { TracingConfigurationError } from '../../../lib/tracing.errors.js';

describe('events', () => {
  it.each<[boolean | EventsOptions | undefined, object | undefined]>([
    [undefined, { emitter: true, cqrs: true }],
    [true, { emitter: true, cqrs: true }],
    [{}, { emitter: true, cqrs: true }],
    [{ emitter: false }, { emitter: false, cqrs: true }],
    [{ cqrs: false }, { emitter: true, cqrs: false }],
    [{ emitter: false, cqrs: false }, undefined],
    [false, undefined],
  ])('%j is %j', (given, resolved) => {
    expect(resolveEvents(given)).toEqual(resolved);
  });

  it.each<[unknown, string]>([
    ['yes', 'events'],
    [null, 'events'],
    [[], 'events'],
    [{ emitters: true }, 'events.emitters'],
    [{ cqrs: 1 }, 'events.cqrs'],
  ])('refuses %j by the name %s', (given, name) => {
    const resolve = () => resolveEvents(given as EventsOptions);
    expect(resolve).toThrow(TracingConfigurationError);
    expect(resolve).toThrow(name);
  });
});

describe('nest.lifecycle', () => {
  const all = ['middleware', 'guards', 'interceptors', 'pipes', 'filters'];

  it.each<[NestOptions | undefined, string[] | undefined]>([
    [undefined, undefined],
    [{}, undefined],
    [{ lifecycle: false }, undefined],
    [{ lifecycle: true }, all],
    [{ lifecycle: {} }, all],
    [{ lifecycle: { pipes: false } }, ['middleware', 'guards', 'interceptors', 'filters']],
    [{ lifecycle: Object.fromEntries(all.map((stage) => [stage, false])) }, undefined],
  ])('%j is %j', (given, stages) => {
    const resolved = resolveLifecycle(given);
    expect(resolved && [...resolved]).toEqual(stages);
  });

  it.each<[unknown, string]>([
    [{ lifecycles: true }, 'nest.lifecycles'],
    [{ lifecycle: 'all' }, 'nest.lifecycle'],
    [{ lifecycle: null }, 'nest.lifecycle'],
    [{ lifecycle: { guard: true } }, 'nest.lifecycle.guard'],
    [{ lifecycle: { guards: 'some' } }, 'nest.lifecycle.guards'],
    [true, 'nest'],
  ])('refuses %j by the name %s', (given, name) => {
    const resolve = () => resolveLifecycle(given as NestOptions);
    expect(resolve).toThrow(TracingConfigurationError);
    expect(resolve).toThrow(name);
  });
});
