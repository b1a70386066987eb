import { channel } from 'node:diagnostics_channel';
import { ApplicationRegistry } from '../core/application-registry.js';
import type { ResolverTracing } from './trace-resolvers.js';

const NAME = 'nestjs-tracing:graphql-applications';

/** All copies of the library share a diagnostics channel, which therefore holds the list of applications. */
const holder = channel(NAME);

/** The applications that trace GraphQL. The newest one decides how the operations are traced that channels announce. */
export const applications = new ApplicationRegistry<ResolverTracing>(NAME, () => holder);
