/** The version of this package, which its spans carry as their instrumentation scope. */
export const VERSION = '0.1.0';
