import { forEachClientCandidate } from '../core/client-instances.js';
import type { Integration, IntegrationHooks } from '../core/integration.js';
import type { OperationMetrics } from '../core/operation-meter.js';
import { ownValues } from '../core/readable.js';
import { watchProviders, type ProviderWatch } from '../core/provider-instances.js';
import { clientCallMetrics, serverCallMetrics } from '../core/rpc-metrics.js';
import type { ResolvedMessaging } from '../options/messaging.js';
import { isMessageClient } from './client/message-client.js';
import { TracedClients } from './client/traced-clients.js';
import { processedEventMetrics, sentEventMetrics } from './metrics.js';
import type { IncomingMessage } from './server/incoming-message.js';
import { traceMessageServer } from './server/trace-message-server.js';

/** Instruments the transports of `@nestjs/microservices` other than gRPC, on both sides: a span for each message. */
export const messagingIntegration: Integration<{ readonly messaging: ResolvedMessaging | undefined }> = {
  name: 'messaging',
  start({ messaging }, { meter, modules }): IntegrationHooks | undefined {
    if (!messaging) return undefined;
    const meters = (request: OperationMetrics, event: OperationMetrics) => {
      const ofType = { request: meter(request), event: meter(event) };
      return (type: keyof typeof ofType) => ofType[type];
    };
    const open = new Set<IncomingMessage>();
    const server = { ...messaging, meterOf: meters(serverCallMetrics, processedEventMetrics), open };
    const clients = new TracedClients({ ...messaging, meterOf: meters(clientCallMetrics, sentEventMetrics) });
    let providers: ProviderWatch | undefined;

    function traceIfClient(candidate: unknown): void {
      if (isMessageClient(candidate)) clients.add(candidate);
    }
    function traceClients(): void {
      forEachClientCandidate(modules, traceIfClient);
    }
    /** A provider may be a client, or keep one in a property. */
    function lookIn(instance: unknown): void {
      traceIfClient(instance);
      for (const value of ownValues(instance)) traceIfClient(value);
    }

    traceClients();
    return {
      beforeTransport: (transport) => traceMessageServer(transport, server),
      providersReady() {
        traceClients();
        providers = watchProviders(modules, { onInstance: lookIn, onRequestInstance: lookIn });
      },
      acquire: () => providers?.scan(),
      async drain() {
        for (const message of open) message.cancel();
      },
      shutdown() {
        providers?.stop();
        clients.release();
      },
    };
  },
};
