/** The version of this package, which is also the version of the instrumentation scope of its spans. */
export const VERSION = '0.1.0';
