import { channel } from 'node:diagnostics_channel';
import { ApplicationRegistry } from '../../core/application-registry.js';
import type { ClientRequestOptions } from './client-request.js';

const NAME = 'nestjs-tracing:http-client-applications';

/**
 * The list of applications is a property of a diagnostics channel: unlike a global variable, a channel is the same for all
 * copies of the library, even if a test runner gives each file its own globals. The channel is referenced here for good: Node
 * collects an unreferenced channel, and the applications would be forgotten.
 */
const holder = channel(NAME);

/** The applications that trace outgoing requests. The options of the newest one apply to a request. */
export const applications = new ApplicationRegistry<ClientRequestOptions>(NAME, () => holder);
