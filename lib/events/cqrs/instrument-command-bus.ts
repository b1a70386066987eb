import { callSafely } from '../../core/diagnostics.js';
import { definedAttributes } from '../../core/defined-attributes.js';
import { interceptMethod } from '../../core/intercept-method.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { ATTR_COMMAND_NAME, ATTR_QUERY_NAME, ATTR_SAGA_NAME } from '../attributes.js';
import { classNameOf, HandlerMethod } from '../handler-method.js';
import { hasMethods } from '../../core/readable.js';
import { handlerType, type HandlerWrapper } from './handler-wrapper.js';
import { sagaOf } from './sagas.js';

/** The members of `CommandBus` and `QueryBus` that are used here. */
interface Bus {
  /** The functions that execute a command or a query, by its id. */
  readonly handlers?: Map<unknown, AnyMethod>;
}

/** True for the bus of commands or that of queries of `@nestjs/cqrs`. */
export function isCommandBus(candidate: object): boolean {
  if (!hasMethods(candidate, 'bind', 'execute', 'register')) return false;
  return Object.getOwnPropertyDescriptor(candidate, 'handlers')?.value instanceof Map;
}

/**
 * Gives each execution of a command or a query a span. The bus keeps a function for each handler, which creates the instance of a handler
 * of request scope, and executes it. A function that starts the span takes its place, so that the handler stays as it is.
 */
export function instrumentCommandBus(bus: object): () => void {
  const { handlers } = bus as Required<Bus>;
  const attribute = hasMethods(bus, 'getQueryId') ? ATTR_QUERY_NAME : ATTR_COMMAND_NAME;
  const undos = new Map<unknown, () => void>();

  function observe(id: unknown, wrapper: HandlerWrapper): void {
    const execute = handlers.get(id);
    const type = handlerType(wrapper);
    if (!execute || !type) return;
    const handler = HandlerMethod.of(type, 'execute');
    function tracedExecute(this: unknown, ...args: unknown[]): unknown {
      if (!HandlerMethod.isTraced) return Reflect.apply(execute as AnyMethod, this, args);
      const attributes = () =>
        definedAttributes({ [attribute]: classNameOf(args[0]), [ATTR_SAGA_NAME]: sagaOf(args[0]) });
      return handler.call(execute as AnyMethod, this, args, attributes);
    }
    handlers.set(id, tracedExecute);
    undos.set(id, () => {
      if (handlers.get(id) === tracedExecute) handlers.set(id, execute);
    });
  }

  const undo = interceptMethod(bus, 'bind', (bind, thisArg, args) => {
    const result = Reflect.apply(bind, thisArg, args);
    const [wrapper, id] = args;
    callSafely('Tracing a handler of commands', () => observe(id, wrapper as HandlerWrapper));
    return result;
  });
  return () => {
    undo?.();
    for (const undoHandler of undos.values()) undoHandler();
  };
}
