/*
 * OpenTelemetry has no conventions for events, commands and queries within a process: those of messaging are about brokers. So the names
 * are those of the framework, below a namespace of its own, as the specification asks for.
 */

/** The name of the event that a handler was called with. */
export const ATTR_EVENT_NAME = 'nestjs.event.name';
/** The class of the command that a handler was called with. */
export const ATTR_COMMAND_NAME = 'nestjs.command.name';
/** The class of the query that a handler was called with. */
export const ATTR_QUERY_NAME = 'nestjs.query.name';
/** The method of the saga that a command comes from. */
export const ATTR_SAGA_NAME = 'nestjs.saga.name';
