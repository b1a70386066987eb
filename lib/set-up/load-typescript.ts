import { createRequire } from 'node:module';
import type ts from 'typescript';

export type TypeScript = typeof ts;

/** The packages that bring a TypeScript of their own, beside that of the application. */
const OTHERS = ['@nestjs/cli', '@nestjs/schematics', '@angular-devkit/schematics-cli'];

/**
 * Loads the TypeScript of a project, or that of Nest's command line: TypeScript 7 has no parser that JavaScript can call.
 *
 * @throws if there is none
 */
export function loadTypeScript(folder: string): TypeScript {
  const project = createRequire(`${folder}/package.json`);
  // Nest's command line may be installed globally, outside of the project.
  const runner = process.argv[1] === undefined ? [] : [createRequire(process.argv[1])];
  for (const origin of [project, ...runner]) {
    for (const place of [origin, ...OTHERS.map((name) => placeOf(origin, name))]) {
      const found = place && load(place);
      if (found) return found;
    }
  }
  throw new Error('TypeScript was not found. Install it in this project: npm install --save-dev typescript@6');
}

function placeOf(origin: NodeJS.Require, name: string): NodeJS.Require | undefined {
  try {
    return createRequire(origin.resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

function load(place: NodeJS.Require): TypeScript | undefined {
  try {
    const found = place('typescript') as Partial<TypeScript>;
    return typeof found.createSourceFile === 'function' ? (found as TypeScript) : undefined;
  } catch {
    return undefined;
  }
}
