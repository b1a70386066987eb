/*
 * OpenTelemetry has no conventions for the parts of a web framework, so the names are below a namespace of its own, as the specification
 * asks for.
 */

/** The stage that a span is about: `middleware`, `guard`, `interceptor`, `pipe`, `filter`. */
export const ATTR_STAGE = 'nestjs.stage';
/** True if a guard has answered no. */
export const ATTR_GUARD_REJECTED = 'nestjs.guard.rejected';
/** The part of the request that a pipe transforms: `body`, `query`, `param`, `custom`. */
export const ATTR_PARAMETER_TYPE = 'nestjs.parameter.type';
/** The name of the value within that part: `id` for `@Param('id')`. */
export const ATTR_PARAMETER_NAME = 'nestjs.parameter.name';
