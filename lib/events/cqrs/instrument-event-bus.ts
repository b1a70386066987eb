import { types } from 'node:util';
import { callSafely } from '../../core/diagnostics.js';
import { definedAttributes } from '../../core/defined-attributes.js';
import { interceptMethod, type MethodInterceptor } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { ATTR_EVENT_NAME } from '../attributes.js';
import { classNameOf, HandlerMethod } from '../handler-method.js';
import { hasMethods } from '../../core/readable.js';
import type { HandlerWrapper } from './handler-wrapper.js';
import { observeSaga } from './sagas.js';

/** The members of `EventBus` that are used here. */
interface EventBus {
  readonly moduleRef?: { resolve?: unknown };
}

/** True for the bus of events of `@nestjs/cqrs`. */
export function isEventBus(candidate: object): boolean {
  return hasMethods(candidate, 'bind', 'publish', 'registerSagas');
}

/**
 * Gives each call of an event handler a span. The bus gets a stand-in for the wrapper of each handler, whose instance calls the handler in
 * a span, so that the handler stays as it is. The instances of a handler of request scope are created for the bus alone: they get a method
 * in front of their own.
 */
export function instrumentEventBus(bus: object): () => void {
  /** The classes of the handlers of request scope. */
  const scoped = new Set<unknown>();
  const { moduleRef } = bus as EventBus;
  const undos = [
    interceptMethod(bus, 'bind', (bind, thisArg, [wrapper, ...rest]) => {
      const given = wrapper as HandlerWrapper;
      if (given.metatype) scoped.add(given.metatype);
      return Reflect.apply(bind, thisArg, [observeWrapper(given), ...rest]);
    }),
    interceptMethod(bus, 'registerSaga', (register, thisArg, [saga, ...rest]) => {
      const observed = typeof saga === 'function' ? observeSaga(saga as Parameters<typeof observeSaga>[0]) : saga;
      return Reflect.apply(register, thisArg, [observed, ...rest]);
    }),
    isObject(moduleRef) &&
      interceptMethod(moduleRef, 'resolve', (resolve, thisArg, args) => {
        const resolved: unknown = Reflect.apply(resolve, thisArg, args);
        return scoped.has(args[0]) && types.isPromise(resolved) ? resolved.then(observeInstance) : resolved;
      }),
  ];
  return () => {
    for (const undo of undos) if (undo) undo();
  };
}

/** Returns a wrapper whose instance handles events in spans. Everything else is that of the given wrapper. */
function observeWrapper(wrapper: HandlerWrapper): HandlerWrapper {
  const isStatic: unknown = Reflect.get(wrapper, 'isDependencyTreeStatic');
  return Object.create(wrapper, {
    instance: {
      get() {
        const { instance } = wrapper;
        return isObject(instance) ? { handle: (event: unknown) => callHandler(instance, event) } : instance;
      },
    },
    // The wrapper keeps the answer, on itself.
    isDependencyTreeStatic: { value: () => Reflect.apply(isStatic as AnyMethod, wrapper, []) },
  }) as HandlerWrapper;
}

function observeInstance(instance: unknown): unknown {
  const observe: MethodInterceptor = (handle, thisArg, args) => callInSpan(handle, thisArg, args);
  if (isObject(instance)) callSafely('Tracing a handler of events', () => interceptMethod(instance, 'handle', observe));
  return instance;
}

/** Calls the method that the instance has now. */
function callHandler(instance: object, event: unknown): unknown {
  const handle: unknown = Reflect.get(instance, 'handle');
  if (typeof handle === 'function') return callInSpan(handle as AnyMethod, instance, [event]);
  return (instance as { handle(event: unknown): unknown }).handle(event);
}

function callInSpan(handle: AnyMethod, thisArg: unknown, args: unknown[]): unknown {
  const type = (thisArg as { constructor?: unknown } | undefined)?.constructor;
  if (!HandlerMethod.isTraced || !isObject(type)) return Reflect.apply(handle, thisArg, args);
  const attributes = () => definedAttributes({ [ATTR_EVENT_NAME]: classNameOf(args[0]) });
  return HandlerMethod.of(type, 'handle').call(handle, thisArg, args, attributes);
}
