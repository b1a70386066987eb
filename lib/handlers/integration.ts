import type { Integration, IntegrationContext, IntegrationHooks } from '../core/integration.js';
import { recordExceptions, recordExceptionsOfConnected, recordExceptionsOfGateways } from './record-exceptions.js';
import { traceGatewayHandlers, traceHandlers, traceResolverHandlers } from './trace-handlers.js';

/** The options of the integrations whose handlers are not those of controllers. An integration that is switched off has none. */
interface HandlerOptions {
  readonly graphql: object | undefined;
  readonly websockets: object | undefined;
}

/** Instruments the handlers of controllers, gateways and resolvers, for every transport. */
export const handlersIntegration: Integration<HandlerOptions> = {
  name: 'handlers',
  start: (options, context) => new HandlerHooks(context, options),
};

class HandlerHooks implements IntegrationHooks {
  private isUp = false;
  /** Functions that undo what must not stay once Nest has registered routes and handlers. */
  private readonly undos: (() => void)[] = [];

  /** Functions that undo what Nest reads as long as the application runs. */
  private readonly undosAtShutdown: (() => void)[] = [];

  constructor(
    private readonly context: IntegrationContext,
    private readonly options: HandlerOptions,
  ) {}

  beforeGateways(): void {
    if (!this.options.websockets) return;
    const { modules } = this.context;
    traceGatewayHandlers(modules);
    this.undosAtShutdown.push(recordExceptionsOfGateways(modules, false));
    this.undoOnceRegistered(recordExceptionsOfGateways(modules, true));
  }

  beforeRoutes(): void {
    const { applicationConfig, modules } = this.context;
    traceHandlers(modules);
    if (this.options.graphql) traceResolverHandlers(modules);
    this.undosAtShutdown.push(recordExceptions(applicationConfig, modules, false));
    this.undoOnceRegistered(recordExceptions(applicationConfig, modules, true));
  }

  beforeTransport(): void {
    const { adapterHost, modules } = this.context;
    this.beforeRoutes();
    if (!adapterHost.httpAdapter) return;
    this.undosAtShutdown.push(recordExceptionsOfConnected(modules, false));
    this.undoOnceRegistered(recordExceptionsOfConnected(modules, true));
  }

  acquire(): void {
    this.isUp = true;
    for (const undo of this.undos.splice(0)) undo();
  }

  shutdown(): void {
    for (const undo of this.undosAtShutdown.splice(0).toReversed()) undo();
  }

  /** A transport that is connected to a running application registers its handlers synchronously. */
  private undoOnceRegistered(undo: () => void): void {
    if (this.isUp) queueMicrotask(undo);
    else this.undos.push(undo);
  }
}
