import type { ModulesContainer } from '@nestjs/core';
import { subscribeChannels } from '../../core/channel.js';
import { propagateByAxios } from './axios-propagation.js';
import type { ClientRequestOptions } from './client-request.js';
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
  /** From now on nothing is traced for this application. */
  stop(): void;
}

interface Application {
  readonly options: ClientRequestOptions;
  up: boolean;
}

/** Requests belong to the process, so the application that was there first says how all of them are traced. */
const applications = new Set<Application>();
let unsubscribe: (() => void) | undefined;

/** Begins to trace outgoing requests, those of other providers' constructors included. */
export function traceHttpClient(options: ClientRequestOptions): HttpClientTracing {
  // Nobody tells of a start that has failed.
  for (const application of applications) if (!application.up) applications.delete(application);
  const application = { options, up: false };
  const undos: (() => void)[] = [];
  add(application);
  return {
    providersMade(modules) {
      if (!ANNOUNCES_REQUESTS) undos.push(propagateByAxios(modules, options));
    },
    retain() {
      application.up = true;
      add(application);
    },
    stop() {
      for (const undo of undos) undo();
      remove(application);
    },
  };
}

function add(application: Application): void {
  applications.add(application);
  unsubscribe ??= subscribeChannels({ ...undiciChannels(currentOptions), ...nodeHttpChannels(currentOptions) });
}

function remove(application: Application): void {
  applications.delete(application);
  if (applications.size > 0) return;
  unsubscribe?.();
  unsubscribe = undefined;
}

function currentOptions(): ClientRequestOptions {
  const [application] = applications;
  if (!application) throw new Error('no application traces outgoing requests');
  return application.options;
}
