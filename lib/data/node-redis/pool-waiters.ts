import { subscribeChannels } from '../../core/channel.js';
import { isCalledByNamed } from '../other-instrumentation.js';

/** The message of node-redis about a client of a pool that is handed out. */
interface HandOutMessage {
  readonly clientId: string;
}

/** The function of a pool that hands a client which was given back to the caller that waits for it. */
const HAND_OVER = '#returnClient';

/** The clients that are in use by a caller which has waited for them: their commands come in the context of another caller. */
const displacedClients = new Set<string>();

/** Keeps track of the clients that pools hand out to callers which have waited. */
export function watchPools(): () => void {
  return subscribeChannels({
    'node-redis:pool:connection-wait': ({ clientId }: HandOutMessage) => {
      if (isCalledByNamed(HAND_OVER)) displacedClients.add(clientId);
      else displacedClients.delete(clientId);
    },
  });
}

/** Reports that a client is used in the context of its caller after all. */
export function restoreClient(client: unknown): void {
  displacedClients.delete((client as { readonly _clientId?: string })['_clientId'] ?? '');
}

/** True if the commands of a client come in the context of another caller. */
export function isDisplaced(clientId: string): boolean {
  return displacedClients.has(clientId);
}
