import type { ModulesContainer } from '@nestjs/core';
import { subscribeChannels } from '../../core/channel.js';
import { addApplication, anyHere, currentOptions, keepApplication, removeApplication } from './applications.js';
import { prepareRequests } from './axios-propagation.js';
import type { ClientRequestOptions } from './client-request.js';
import { findHttpServices, type HttpServices } from './http-services.js';
import { nodeHttpChannels } from './trace-node-http.js';
import { undiciChannels } from './trace-undici.js';

/** Since Node 22 a request of `node:http` is announced while headers can still be added to it. */
const ANNOUNCES_REQUESTS = Number.parseInt(process.versions.node, 10) >= 22;

/** One application's tracing of outgoing requests. */
export interface HttpClientTracing {
  /** Nest has made every provider. */
  providersMade(modules: ModulesContainer): void;
  /** The application is up. */
  retain(): void;
  /** The application is not up after all. The next one to start takes its place. */
  release(): void;
  /** From now on nothing is traced for this application. */
  stop(): void;
}

/** Undoes the subscriptions, which the applications of this copy of the library share. */
let unsubscribe: (() => void) | undefined;

/** Begins to trace outgoing requests, those of other providers' constructors included. */
export function traceHttpClient(options: ClientRequestOptions): HttpClientTracing {
  let services: HttpServices | undefined;
  const application = addApplication(options, release);
  subscribe();
  return {
    providersMade(modules) {
      if (!ANNOUNCES_REQUESTS)
        services = findHttpServices(modules, (client) => prepareRequests(client, currentOptions));
    },
    retain() {
      services?.look();
      keepApplication(application);
      subscribe();
    },
    release() {
      application.up = false;
    },
    stop() {
      services?.stop();
      removeApplication(application);
    },
  };
}

function subscribe(): void {
  unsubscribe ??= subscribeChannels({ ...undiciChannels(currentOptions), ...nodeHttpChannels(currentOptions) });
}

function release(): void {
  if (anyHere()) return;
  unsubscribe?.();
  unsubscribe = undefined;
}
