import { subscribeChannels } from '../../core/channel.js';
import type { Integration, IntegrationHooks } from '../../core/integration.js';
import type { ProviderWatch } from '../../core/provider-instances.js';
import type { ResolvedHttpClient } from '../../options/http-client.js';
import { applications } from './applications.js';
import { prepareRequests } from './axios-propagation.js';
import { findHttpServices } from './http-services.js';
import { clientRequestMetrics } from './metrics.js';
import { nodeHttpChannels } from './trace-node-http.js';
import { undiciChannels } from './trace-undici.js';

/** True since Node 22: a request of `node:http` is announced while headers can still be added to it. */
const ANNOUNCES_REQUESTS = Number.parseInt(process.versions.node, 10) >= 22;

/** Instruments outgoing HTTP requests, including those that constructors of other providers send. */
export const httpClientIntegration: Integration<{ readonly httpClient: ResolvedHttpClient | undefined }> = {
  name: 'http/client',
  start({ httpClient }, { meter, modules, areAttributesReadAtStart }): IntegrationHooks | undefined {
    if (!httpClient) return undefined;
    let services: ProviderWatch | undefined;
    const options = { ...httpClient, areAttributesReadAtStart, meter: meter(clientRequestMetrics) };
    const application = applications.add(options, unsubscribeIfUnused);
    subscribe();
    return {
      providersReady() {
        if (ANNOUNCES_REQUESTS) return;
        services = findHttpServices(modules, (client) => prepareRequests(client, currentOptions));
      },
      acquire() {
        services?.scan();
        application.acquire();
        subscribe();
      },
      release: () => application.release(),
      shutdown() {
        services?.stop();
        application.remove();
      },
    };
  },
};

/** Ends the subscriptions, which all applications that use this copy of the library share. */
let unsubscribe: (() => void) | undefined;

function subscribe(): void {
  unsubscribe ??= subscribeChannels({ ...undiciChannels(currentOptions), ...nodeHttpChannels(currentOptions) });
}

function unsubscribeIfUnused(): void {
  if (applications.hasOwnApplications) return;
  unsubscribe?.();
  unsubscribe = undefined;
}

function currentOptions() {
  return applications.newest;
}
