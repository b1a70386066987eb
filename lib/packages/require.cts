/**
 * CommonJS `require`, from this file's place.
 *
 * One source builds to ESM and to CommonJS, and only the latter has `require`; a `.cts` file has it in both.
 */
export = require;
