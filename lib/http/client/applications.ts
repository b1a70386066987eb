import { channel } from 'node:diagnostics_channel';
import { ApplicationRegistry } from '../../core/application-registry.js';
import type { ClientRequestOptions } from './client-request.js';

const NAME = 'nestjs-tracing:http-client-applications';

/**
 * A diagnostics channel, which unlike a global is the same where a test runner gives each file globals of its own. It is held
 * here: Node collects a channel that nothing holds, and the applications would be forgotten.
 */
const holder = channel(NAME);

/** The applications that trace outgoing requests: a request is traced as the newest of them says. */
export const applications = new ApplicationRegistry<ClientRequestOptions>(NAME, () => holder);
