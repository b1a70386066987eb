import type { Integration, IntegrationHooks } from '../core/integration.js';
import type { ResolvedLifecycle } from '../options/nest.js';
import { Enhancers } from './enhancers.js';
import { Middlewares } from './middlewares.js';
import { TracedInstances } from './traced-instances.js';

/**
 * Gives each middleware, guard, interceptor, pipe and filter a span, for every transport. Nest has no hook for them, so the objects that Nest
 * calls get a method in front of their own.
 */
export const lifecycleIntegration: Integration<{ readonly lifecycle: ResolvedLifecycle | undefined }> = {
  name: 'lifecycle',
  start({ lifecycle }, { applicationConfig, modules }): IntegrationHooks | undefined {
    if (!lifecycle) return undefined;
    const instances = new TracedInstances();
    const enhancers = new Enhancers(modules, applicationConfig, lifecycle, instances);
    const middlewares = lifecycle.has('middleware') ? new Middlewares(modules, instances) : undefined;
    return {
      beforeGateways: () => enhancers.scan(),
      beforeRoutes: () => enhancers.scan(),
      beforeTransport: () => enhancers.scan(),
      acquire: () => middlewares?.registered(),
      shutdown() {
        middlewares?.release();
        enhancers.release();
        instances.release();
      },
    };
  },
};
