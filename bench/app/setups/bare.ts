import type { Setup } from '../setup.js';

/** The application by itself. */
export default (): Setup => ({});
