import { createRequire } from 'node:module';

/** The `require` function of this file, which loads packages at once, and in their CommonJS form. */
export const nodeRequire = createRequire(import.meta.url);
