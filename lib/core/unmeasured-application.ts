import type { ModulesContainer } from '@nestjs/core';
import { ApplicationInstances } from './application-instances.js';
import type { IntegrationHooks } from './integration.js';
import { addMeasuredApplication } from './measured-applications.js';

/**
 * Adds an application that measures nothing to those that measure, and returns its hooks. The calls of its methods are then not
 * measured by another application in the process either.
 */
export function addUnmeasuredApplication(modules: ModulesContainer): IntegrationHooks {
  const instances = new ApplicationInstances(modules);
  const application = addMeasuredApplication({ instruments: undefined, instances });
  return {
    providersReady: () => instances.invalidate(),
    acquire() {
      instances.invalidate();
      application.acquire();
    },
    release: () => application.remove(),
    shutdown: () => application.remove(),
  };
}
