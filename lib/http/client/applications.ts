import { channel } from 'node:diagnostics_channel';
import { ApplicationRegistry } from '../../core/application-registry.js';
import type { ClientRequestOptions } from './client-request.js';

const NAME = 'nestjs-tracing:http-client-applications';

/**
 * The applications that trace outgoing requests: a request is traced as the newest of them says.
 *
 * They are kept with a diagnostics channel, which unlike a global is the same where a test runner gives each file globals of its
 * own. The channel is looked up each time: Node collects one that nothing holds, and another copy of the library would get a new one.
 */
export const applications = new ApplicationRegistry<ClientRequestOptions>(NAME, () => channel(NAME));
