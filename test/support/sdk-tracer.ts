/** Takes the place of `lib/options/default-tracer.ts` in tests with the tracer of the SDK. */
export const DEFAULT_TRACER = 'sdk';
