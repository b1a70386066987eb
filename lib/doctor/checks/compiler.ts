import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import type { ApplicationFolder } from '../application-folder.js';
import { error, ok, type Finding } from '../finding.js';
import { readJson } from '../json-file.js';

interface TypeScriptConfig {
  readonly extends?: string | readonly string[];
  readonly compilerOptions?: Readonly<Record<string, unknown>>;
}

interface SwcConfig {
  readonly jsc?: { readonly transform?: { readonly legacyDecorator?: boolean; readonly decoratorMetadata?: boolean } };
}

/** The options that a compiler needs, with what fails without them. */
const NEEDED = {
  experimentalDecorators: 'the decorators of Nest and of this library are not compiled',
  emitDecoratorMetadata: 'Nest does not know what to inject',
} as const;

/** Checks the options of TypeScript and swc that decorators need. */
export function checkCompiler({ path }: ApplicationFolder): Finding[] {
  return [...checkTypeScript(join(path, 'tsconfig.json')), ...checkSwc(join(path, '.swcrc'))];
}

function checkTypeScript(file: string): Finding[] {
  const options = compilerOptions(file, 0);
  if (!options) return [];
  const findings = Object.entries(NEEDED)
    .filter(([name]) => options[name] !== true)
    .map(([name, effect]) =>
      error('compiler', `tsconfig.json does not set ${name}: ${effect}.`, `Set "${name}": true in compilerOptions.`),
    );
  return findings.length > 0 ? findings : [ok('compiler', 'tsconfig.json has the options for decorators')];
}

/** Returns the options of a tsconfig.json and of those that it extends. Undefined if there is no such file. */
function compilerOptions(file: string, depth: number): Record<string, unknown> | undefined {
  const config = readJson<TypeScriptConfig>(file);
  if (!config) return undefined;
  const bases = depth > 10 ? [] : [config.extends ?? []].flat();
  const inherited = bases.map((base) => compilerOptions(resolveBase(file, base), depth + 1));
  return Object.assign({}, ...inherited, config.compilerOptions) as Record<string, unknown>;
}

function resolveBase(file: string, base: string): string {
  if (/^\.{0,2}[\\/]/.test(base) || base === '..') {
    const path = resolve(dirname(file), base);
    return path.endsWith('.json') ? path : `${path}.json`;
  }
  const { resolve: find } = createRequire(file);
  for (const name of [base, `${base}.json`, `${base}/tsconfig.json`]) {
    try {
      const found = find(name);
      if (found.endsWith('.json')) return found;
    } catch {
      // The next form may be the right one.
    }
  }
  return base;
}

function checkSwc(file: string): Finding[] {
  const transform = readJson<SwcConfig>(file)?.jsc?.transform ?? undefined;
  if (!transform && !readJson(file)) return [];
  if (transform?.legacyDecorator && transform.decoratorMetadata)
    return [ok('compiler', '.swcrc has the options for decorators')];
  return [
    error(
      'compiler',
      '.swcrc does not have the options that decorators need.',
      'Set "jsc": { "transform": { "legacyDecorator": true, "decoratorMetadata": true } }.',
    ),
  ];
}
