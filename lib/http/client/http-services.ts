import { LazyModuleLoader, type ModulesContainer } from '@nestjs/core';
import { types } from 'node:util';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { asAxios, type Axios } from './axios.js';

/** The injection token of a module's axios client in `@nestjs/axios`. */
const CLIENT_TOKEN = 'AXIOS_INSTANCE_TOKEN';

export interface HttpServices {
  /** Finds clients that were created or replaced since the last scan. */
  scan(): void;
  stop(): void;
}

/**
 * Finds the axios client of every `HttpService`, also in modules that are loaded later, and in services that are created for
 * each request.
 *
 * @param onClient called once for each client; returns a function that undoes its effect
 */
export function findHttpServices(modules: ModulesContainer, onClient: (client: Axios) => () => void): HttpServices {
  const undos = new Map<object, () => void>();
  let stopped = false;

  function scan(): void {
    if (stopped) return;
    for (const module of modules.values()) {
      for (const [token, wrapper] of module.providers) {
        if (wrapper.isDependencyTreeStatic()) {
          const client = asAxios(readProperty(wrapper.instance, 'axiosRef'));
          if (client && !undos.has(client)) undos.set(client, onClient(client));
        } else if (token === CLIENT_TOKEN) {
          watchFactory(wrapper);
        }
      }
    }
  }

  // Nest calls this function for the client of one request, and stores the client nowhere else.
  function watchFactory(wrapper: object): void {
    interceptMethod(wrapper, 'metatype', (factory, thisArg, args) => {
      const created: unknown = Reflect.apply(factory, thisArg, args);
      useWhenSettled(created, (value) => {
        const client = asAxios(value);
        if (client && !stopped) onClient(client);
      });
      return created;
    });
  }

  const loader = findLoader(modules);
  if (loader) {
    interceptMethod(loader, 'load', (load, thisArg, args) => {
      const loading: unknown = Reflect.apply(load, thisArg, args);
      useWhenSettled(loading, scan);
      return loading;
    });
  }
  scan();
  return {
    scan,
    stop() {
      stopped = true;
      for (const undo of undos.values()) undo();
      undos.clear();
    },
  };
}

function findLoader(modules: ModulesContainer): LazyModuleLoader | undefined {
  for (const module of modules.values()) {
    const instance: unknown = module.providers.get(LazyModuleLoader)?.instance;
    if (instance instanceof LazyModuleLoader) return instance;
  }
  return undefined;
}

/** Calls `use` with a value, or with the result of a promise, before other code that awaits the promise gets it. */
function useWhenSettled(value: unknown, use: (settled: unknown) => void): void {
  const guardedUse = (settled: unknown) => callSafely('Looking for HttpService', () => use(settled));
  if (types.isPromise(value)) void value.then(guardedUse, () => {});
  else guardedUse(value);
}

function readProperty(target: unknown, key: string): unknown {
  try {
    return (target as Record<string, unknown> | null | undefined)?.[key];
  } catch {
    return undefined; // A getter or a proxy has thrown.
  }
}
