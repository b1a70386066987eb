import type { ApplicationConfig } from '@nestjs/core';
import { callSafely } from './diagnostics.js';
import { interceptMethod } from './intercept-method.js';
import { isObject } from './is-object.js';

export interface GatewayListener {
  /** Called once, when Nest is about to read the gateways. */
  onGateways(): void;
  /** Called whenever Nest is about to use the adapter of the gateways. */
  onAdapter(adapter: object): void;
}

/**
 * Finds out when Nest reads the gateways of an application, which is before modules are configured. Nest has no hook for that, but asks
 * for the WebSocket adapter: first to find out whether there is one, and then whenever it uses the adapter. Call the returned function
 * when the application is up.
 */
export function watchGateways(config: ApplicationConfig, listener: GatewayListener): () => void {
  let areGatewaysRead = false;
  const undo = interceptMethod(config, 'getIoAdapter', (method, thisArg, args) => {
    const adapter: unknown = Reflect.apply(method, thisArg, args);
    callSafely('Finding gateways', () => {
      if (!areGatewaysRead) listener.onGateways();
      areGatewaysRead = true;
      if (isObject(adapter)) listener.onAdapter(adapter);
    });
    return adapter;
  });
  return () => undo?.();
}
