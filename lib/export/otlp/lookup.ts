import dns, { type LookupAddress, type LookupOptions } from 'node:dns';

type Callback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

/** Lookups that are under way, with everything that waits for them. */
const underWay = new Map<string, Callback[]>();

/**
 * Resolves a name as Node does by default. Lookups of one name at one time share a call: while no server of DNS answers, each call takes one
 * of the few threads that Node has for lookups, for up to half a minute, and those of the application would wait for it.
 */
export function lookupShared(hostname: string, options: LookupOptions, callback: Callback): void {
  const key = `${hostname} ${JSON.stringify(options)}`;
  const waiting = underWay.get(key);
  if (waiting) {
    waiting.push(callback);
    return;
  }
  const callbacks = [callback];
  underWay.set(key, callbacks);
  dns.lookup(hostname, options, (error, address, family) => {
    underWay.delete(key);
    for (const call of callbacks) call(error, address, family);
  });
}
