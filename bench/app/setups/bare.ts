import type { Setup } from '../setup.js';

/** The application without tracing. */
export default (): Setup => ({});
