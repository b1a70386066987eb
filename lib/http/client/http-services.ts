import { LazyModuleLoader, type ModulesContainer } from '@nestjs/core';
import { types } from 'node:util';
import { guarded } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { asAxios, type Axios } from './axios.js';

/** The token under which `@nestjs/axios` keeps the client of a module. */
const CLIENT_TOKEN = 'AXIOS_INSTANCE_TOKEN';

export interface HttpServices {
  /** Looks for clients that have come since, or that have taken the place of others. */
  look(): void;
  stop(): void;
}

/**
 * Finds the client of every `HttpService`, also of those in modules that are loaded later, and of those that are made anew for
 * each request.
 *
 * @param found called once for each client; returns how to undo what it did
 */
export function findHttpServices(modules: ModulesContainer, found: (client: Axios) => () => void): HttpServices {
  const undos = new Map<object, () => void>();
  let stopped = false;

  function look(): void {
    if (stopped) return;
    for (const module of modules.values()) {
      for (const [token, wrapper] of module.providers) {
        if (wrapper.isDependencyTreeStatic()) {
          const client = asAxios(propertyOf(wrapper.instance, 'axiosRef'));
          if (client && !undos.has(client)) undos.set(client, found(client));
        } else if (token === CLIENT_TOKEN) {
          watchFactory(wrapper);
        }
      }
    }
  }

  // Nest makes the client of one request by this function, and tells of it nowhere.
  function watchFactory(wrapper: object): void {
    interceptMethod(wrapper, 'metatype', (factory, thisArg, args) => {
      const made: unknown = Reflect.apply(factory, thisArg, args);
      whenMade(made, (value) => {
        const client = asAxios(value);
        if (client && !stopped) found(client);
      });
      return made;
    });
  }

  const loader = loaderIn(modules);
  if (loader) {
    interceptMethod(loader, 'load', (load, thisArg, args) => {
      const loading: unknown = Reflect.apply(load, thisArg, args);
      whenMade(loading, look);
      return loading;
    });
  }
  look();
  return {
    look,
    stop() {
      stopped = true;
      for (const undo of undos.values()) undo();
      undos.clear();
    },
  };
}

function loaderIn(modules: ModulesContainer): LazyModuleLoader | undefined {
  for (const module of modules.values()) {
    const instance: unknown = module.providers.get(LazyModuleLoader)?.instance;
    if (instance instanceof LazyModuleLoader) return instance;
  }
  return undefined;
}

/** Calls `use` with a value, or with what a promise becomes, before whoever waits for it gets it. */
function whenMade(value: unknown, use: (made: unknown) => void): void {
  const guardedUse = (made: unknown) => guarded('Looking for HttpService', () => use(made));
  if (types.isPromise(value)) void value.then(guardedUse, () => {});
  else guardedUse(value);
}

function propertyOf(target: unknown, key: string): unknown {
  try {
    return (target as Record<string, unknown> | null | undefined)?.[key];
  } catch {
    return undefined; // An object that does not let itself be looked at.
  }
}
