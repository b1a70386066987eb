import type { ModulesContainer } from '@nestjs/core';
import { watchProviders, type ProviderWatch } from '../../core/provider-instances.js';
import { asAxios, type Axios } from './axios.js';

/** The injection token of a module's axios client in `@nestjs/axios`. */
const CLIENT_TOKEN = 'AXIOS_INSTANCE_TOKEN';

/**
 * Finds the axios client of every `HttpService`, also in modules that are loaded later, and in services that are created for
 * each request.
 *
 * @param onClient called once for each client; returns a function that undoes its effect
 */
export function findHttpServices(modules: ModulesContainer, onClient: (client: Axios) => () => void): ProviderWatch {
  const undos = new Map<object, () => void>();
  const watch = watchProviders(modules, {
    watchesFactory: (token) => token === CLIENT_TOKEN,
    onInstance(service) {
      const client = asAxios(readProperty(service, 'axiosRef'));
      if (client && !undos.has(client)) undos.set(client, onClient(client));
    },
    onRequestInstance(created) {
      const client = asAxios(created);
      if (client) onClient(client);
    },
  });
  return {
    scan: watch.scan,
    stop() {
      watch.stop();
      for (const undo of undos.values()) undo();
      undos.clear();
    },
  };
}

function readProperty(target: unknown, key: string): unknown {
  try {
    return (target as Record<string, unknown> | null | undefined)?.[key];
  } catch {
    return undefined; // A getter or a proxy has thrown.
  }
}
