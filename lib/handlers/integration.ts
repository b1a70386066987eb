import type { Integration, IntegrationContext, IntegrationHooks } from '../core/integration.js';
import { recordExceptions, recordExceptionsOfConnected } from './record-exceptions.js';
import { traceHandlers } from './trace-handlers.js';

/** Instruments the handlers of controllers, for every transport. */
export const handlersIntegration: Integration<unknown> = {
  name: 'handlers',
  start: (_options, context) => new HandlerHooks(context),
};

class HandlerHooks implements IntegrationHooks {
  private isUp = false;
  /** Functions that undo what must not stay once Nest has registered routes and handlers. */
  private readonly undos: (() => void)[] = [];

  constructor(private readonly context: IntegrationContext) {}

  beforeRoutes(): void {
    const { applicationConfig, modules } = this.context;
    traceHandlers(modules);
    this.undoOnceRegistered(recordExceptions(applicationConfig, modules));
  }

  beforeTransport(): void {
    const { adapterHost, modules } = this.context;
    this.beforeRoutes();
    if (adapterHost.httpAdapter) this.undoOnceRegistered(recordExceptionsOfConnected(modules));
  }

  acquire(): void {
    this.isUp = true;
    for (const undo of this.undos.splice(0)) undo();
  }

  /** A transport that is connected to a running application registers its handlers synchronously. */
  private undoOnceRegistered(undo: () => void): void {
    if (this.isUp) queueMicrotask(undo);
    else this.undos.push(undo);
  }
}
