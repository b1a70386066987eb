/** The tracer if the option is left out. It has a file of its own, so that the tests can run with the other one. */
export const DEFAULT_TRACER = 'builtin' as 'builtin' | 'sdk';
