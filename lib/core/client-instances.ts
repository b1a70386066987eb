import type { ModulesContainer } from '@nestjs/core';
import { callSafely } from './diagnostics.js';
import { isReadable, ownValues } from './readable.js';

/**
 * Calls `use` with every object in dependency injection that may be a client: each provider, controller and enhancer, and the own properties
 * of each, among which are those with `@Client()`.
 */
export function forEachClientCandidate(modules: ModulesContainer, use: (candidate: object) => void): void {
  for (const { providers, controllers, injectables } of modules.values()) {
    for (const { instance } of [...providers.values(), ...controllers.values(), ...injectables.values()]) {
      callSafely('Looking for clients', () => {
        for (const candidate of [instance, ...ownValues(instance)]) {
          if (isReadable(candidate)) use(candidate);
        }
      });
    }
  }
}
