import { channel } from 'node:diagnostics_channel';
import type { ClientRequestOptions } from './client-request.js';

/** An application that traces outgoing requests. */
export interface Application {
  readonly options: ClientRequestOptions;
  /** The copy of this library that it uses. */
  readonly copy: object;
  up: boolean;
  /** Called when the application is no longer among those that trace. */
  readonly gone: () => void;
}

const COPY = {};
const KEY = Symbol.for('nestjs-tracing:http-client');

/**
 * Requests belong to the process, and so do the applications that trace them, oldest first. They are kept with a channel:
 * unlike a global it is the same for every copy of this library, also where a test runner gives each file globals of its own.
 */
const holder = channel('nestjs-tracing:http-client') as { [KEY]?: Application[] };

// Through the channel each time: Node collects a channel that nothing holds, and another copy would get a new one.
function all(): Application[] {
  return (holder[KEY] ??= []);
}

/** Adds an application, of which it is not known yet whether its start succeeds. */
export function addApplication(options: ClientRequestOptions, gone: () => void): Application {
  // Nobody tells of a start that has failed.
  for (const application of all().filter(({ up }) => !up)) removeApplication(application);
  const application = { options, copy: COPY, up: false, gone };
  all().push(application);
  return application;
}

/** Keeps an application whose start has succeeded, also where another that has begun meanwhile took it for failed. */
export function keepApplication(application: Application): void {
  application.up = true;
  if (!all().includes(application)) all().push(application);
}

export function removeApplication(application: Application): void {
  const applications = all();
  const index = applications.indexOf(application);
  if (index === -1) return;
  applications.splice(index, 1);
  application.gone();
}

/** Whether any application traces by this copy of the library. */
export function anyHere(): boolean {
  return all().some(({ copy }) => copy === COPY);
}

/** How a request is traced that begins now: as the newest application says, by the copy of this library that it uses. */
export function currentOptions(): ClientRequestOptions | undefined {
  const newest = all().at(-1);
  return newest?.copy === COPY ? newest.options : undefined;
}
