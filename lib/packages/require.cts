/**
 * The `require` function of CommonJS, which resolves packages from this file.
 *
 * The same source is built to ESM and to CommonJS, and ESM has no `require`. A `.cts` file is CommonJS in both builds.
 */
export = require;
