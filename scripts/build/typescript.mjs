import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { root } from '../support/run.mjs';

export const libFolder = join(root, 'lib');

/** Constants only, of which the package includes those that it uses. */
const INLINED = '@opentelemetry/semantic-conventions';

const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
const compilerOptions = {
  ...options,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  noEmit: false,
  declaration: false,
  sourceMap: false,
  inlineSources: false,
  // The types have the documentation. Without comments, the code is loaded faster.
  removeComments: true,
};

/** True for an import of a package or of a module of Node, which stays an import. */
export function isExternal(id) {
  return id !== INLINED && /^[^./\0]/.test(id) && !/^[A-Z]:/.test(id);
}

/** Compiles the files of lib/, each for itself. `npm run types` checks the types. */
export function typescript() {
  return {
    name: 'typescript',
    resolveId(source, importer) {
      if (source === INLINED) return { id: fileURLToPath(import.meta.resolve(INLINED)), moduleSideEffects: false };
      if (source.startsWith('.') && importer?.endsWith('.ts')) {
        return join(dirname(importer), source.replace(/\.js$/, '.ts'));
      }
      return undefined;
    },
    load(id) {
      if (id.endsWith('.ts')) return compile(id);
      // Its comments document each constant. Those that mark pure code have only one asterisk.
      return readFileSync(id, 'utf8').replaceAll(/\/\*\*.*?\*\//gs, '');
    },
  };
}

const compiled = new Map();

/** Returns the JavaScript of a file of lib/, as an ES module. */
export function compile(file) {
  let code = compiled.get(file);
  if (code === undefined) {
    code = ts.transpileModule(readFileSync(file, 'utf8'), { fileName: file, compilerOptions }).outputText;
    compiled.set(file, code);
  }
  return code;
}
