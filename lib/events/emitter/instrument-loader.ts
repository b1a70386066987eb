import { callSafely } from '../../core/diagnostics.js';
import { definedAttributes } from '../../core/defined-attributes.js';
import { interceptMethod, type MethodInterceptor } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { ATTR_EVENT_NAME } from '../attributes.js';
import { HandlerMethod } from '../handler-method.js';
import { hasMethods } from '../../core/readable.js';
import { eventNameOf } from './event-name.js';
import { AwaitedListener } from './awaited-listener.js';

/** The members of `EventSubscribersLoader` that are used here. */
interface Loader {
  readonly eventEmitter?: { readonly event?: unknown };
}

/** The argument of `registerRequestScopedListener()`. */
interface ListenerRegistration {
  readonly eventListenerInstance: object;
  readonly listenerMethodKey: string;
  readonly listenerMethod: (event: unknown, listener: AnyMethod, options: unknown) => unknown;
}

/** True for the object of `@nestjs/event-emitter` that registers the listeners, and calls them. */
export function isLoader(candidate: object): boolean {
  return hasMethods(candidate, 'loadEventListeners', 'wrapFunctionInTryCatchBlocks');
}

/**
 * Gives each call of a listener a span. The package calls a method of its own for each call, which logs and suppresses what the listener
 * throws. That method gets a stand-in for the listener, so that the span sees the failure first, and the listener stays as it is.
 */
export function instrumentLoader(loader: object): () => void {
  const undos = [
    interceptMethod(loader, 'wrapFunctionInTryCatchBlocks', callGuardedListener),
    interceptMethod(loader, 'registerRequestScopedListener', registerScopedListener),
  ];
  return () => {
    for (const undo of undos) undo?.();
  };
}

const callGuardedListener: MethodInterceptor = (callGuarded, loader, args) => {
  const [instance, key, ...rest] = args;
  const standIn = callSafely('Tracing a listener', () => standInFor(instance, key, loader as Loader));
  return Reflect.apply(callGuarded, loader, standIn ? [standIn, key, ...rest] : args);
};

/** Returns an object that the package can call in place of the listener's. Undefined if the call gets no span. */
function standInFor(instance: unknown, key: unknown, loader: Loader): object | undefined {
  if (!isObject(instance) || typeof key !== 'string' || typeof Reflect.get(instance, key) !== 'function') {
    return undefined;
  }
  const awaited = AwaitedListener.take(instance.constructor, key);
  if (!HandlerMethod.isTraced) return undefined;
  const handler = HandlerMethod.of(instance.constructor, key);
  // The emitter holds the event while it calls listeners, whose first action is to get here.
  const event = awaited ? awaited.event : loader.eventEmitter?.event;
  const attributes = () => definedAttributes({ [ATTR_EVENT_NAME]: eventNameOf(event) });
  return {
    [key]: {
      call: (_standIn: unknown, ...payload: unknown[]) =>
        handler.call(Reflect.get(instance, key) as AnyMethod, instance, payload, attributes),
    },
  };
}

/** Makes the event known to the call of a listener of request scope, whose instance is created first. */
const registerScopedListener: MethodInterceptor = (register, loader, [registration, ...rest]) => {
  const { eventListenerInstance, listenerMethod, listenerMethodKey } = registration as ListenerRegistration;
  const { eventEmitter } = loader as Loader;
  // The emitter distinguishes async functions from others, so the listener is a proxy of the one of the package.
  const observe = (listener: AnyMethod) =>
    new Proxy(listener, {
      apply(target, thisArg, args) {
        const awaited = new AwaitedListener(eventEmitter?.event, eventListenerInstance.constructor, listenerMethodKey);
        return awaited.run(target, thisArg, args);
      },
    });
  const addListener: ListenerRegistration['listenerMethod'] = (event, listener, options) =>
    listenerMethod(event, observe(listener), options);
  return Reflect.apply(register, loader, [{ ...(registration as object), listenerMethod: addListener }, ...rest]);
};
