/**
 * Builds the package from lib/: a few files of JavaScript as ES modules, the same as CommonJS, and one file of types for each of the two.
 * An application loads a large file in a fraction of the time of many small ones. Beside them are the commands for developers, which no
 * application loads.
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import {
  CORE_FILE,
  ENABLED,
  ENABLED_FILE,
  enabledFile,
  isLoadedOnUse,
  LOADERS,
  loadedOnUse,
} from './build/loaded-on-use.mjs';
import { buildCommands } from './build/commands.mjs';
import { importFromIndex, importTypesFromIndex, TESTING_ENTRY, testingTypes } from './build/testing.mjs';
import { ownUrl } from './build/own-url.mjs';
import { isExternal, libFolder, typescript } from './build/typescript.mjs';
import { root } from './support/run.mjs';

const dist = join(root, 'dist');
const entry = join(libFolder, 'index.ts');

rmSync(dist, { recursive: true, force: true });
await bundleCode();
await bundleTypes();
await bundleTesting();
await bundleTestingTypes();
await buildCommands(dist, failWith);

async function bundleCode() {
  const bundle = await rollup({
    input: { index: entry, [ENABLED_FILE]: ENABLED },
    plugins: [loadedOnUse(), ownUrl, typescript()],
    external: (id) => isExternal(id) && !isLoadedOnUse(id),
    onwarn: failWith,
  });
  const [esm, cjs] = await Promise.all(['es', 'cjs'].map((format) => generate(bundle, format)));
  const files = { ...pick(esm, ['index.js', `${CORE_FILE}.js`]), ...pick(cjs, ['index.cjs', `${CORE_FILE}.cjs`]) };
  files[`${ENABLED_FILE}.cjs`] = enabledFile(cjs[`${ENABLED_FILE}.cjs`]);
  files['load.cjs'] = LOADERS;
  mkdirSync(dist);
  for (const [name, code] of Object.entries(files)) writeFileSync(join(dist, name), code);
}

/** Returns the code of the files in a module format, by the names of the files. */
async function generate(bundle, format) {
  const extension = format === 'es' ? 'js' : 'cjs';
  const { output } = await bundle.generate({
    format,
    exports: 'named',
    entryFileNames: `[name].${extension}`,
    chunkFileNames: `${CORE_FILE}.${extension}`,
    paths: { [`./${CORE_FILE}.js`]: `./${CORE_FILE}.${extension}` },
    // Packages do not change their exports after they are loaded.
    externalLiveBindings: false,
    generatedCode: 'es2015',
    hoistTransitiveImports: false,
    minifyInternalExports: false,
  });
  const fileNames = output.map(({ fileName }) => fileName).toSorted();
  if (fileNames.length !== 3) throw new Error(`The package has too many files: ${fileNames.join(', ')}`);
  return Object.fromEntries(output.map(({ code, fileName }) => [fileName, code]));
}

function pick(files, names) {
  return Object.fromEntries(names.map((name) => [name, files[name]]));
}

/** Both module formats have the same types, but TypeScript tells them apart by the extension. */
async function bundleTypes() {
  const plugins = [dts({ tsconfig: join(root, 'tsconfig.json'), compilerOptions: { paths: {} } })];
  const bundle = await rollup({ input: entry, plugins, external: isExternal, onwarn: failWith });
  await bundle.write({ file: join(dist, 'index.d.ts'), format: 'es' });
  copyFileSync(join(dist, 'index.d.ts'), join(dist, 'index.d.cts'));
}

/** Bundles what only tests of an application load. */
async function bundleTesting() {
  const plugins = [importFromIndex(), typescript()];
  const bundle = await rollup({ input: TESTING_ENTRY, plugins, external: isExternal, onwarn: failWith });
  const options = { exports: 'named', externalLiveBindings: false, generatedCode: 'es2015' };
  await bundle.write({ ...options, file: join(dist, 'testing.js'), format: 'es' });
  await bundle.write({
    ...options,
    file: join(dist, 'testing.cjs'),
    format: 'cjs',
    paths: (id) => (id === join(dist, 'index.js') || id === './index.js' ? './index.cjs' : id),
  });
}

async function bundleTestingTypes() {
  const plugins = [
    importTypesFromIndex(),
    dts({ tsconfig: join(root, 'tsconfig.json'), compilerOptions: { paths: {} } }),
  ];
  const bundle = await rollup({ input: TESTING_ENTRY, plugins, external: isExternal, onwarn: failWith });
  const { output } = await bundle.generate({ format: 'es', file: join(dist, 'testing.d.ts') });
  const [{ code }] = output;
  writeFileSync(join(dist, 'testing.d.ts'), testingTypes(code, 'index.js'));
  writeFileSync(join(dist, 'testing.d.cts'), testingTypes(code, 'index.cjs'));
}

/** A warning of the bundler is a package that does not work: an import that has no target, say. */
function failWith(warning) {
  // The helpers of TypeScript for decorators look for themselves in a global `this` first.
  if (warning.code === 'THIS_IS_UNDEFINED') return;
  throw new Error(`The package cannot be built: ${warning.message}`);
}
