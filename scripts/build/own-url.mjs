/** Gives files of CommonJS their own URL as Node has it. Rollup would also look for that of a script in a browser. */
export const ownUrl = {
  name: 'own-url',
  resolveImportMeta: (property, { format }) =>
    property === 'url' && format === 'cjs' ? "require('node:url').pathToFileURL(__filename).href" : null,
};
