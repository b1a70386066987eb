/** Builds what a developer runs: the schematics for Nest's command line, and the program `nestjs-tracing`. Both are CommonJS. */
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rollup } from 'rollup';
import { root } from '../support/run.mjs';
import { ownUrl } from './own-url.mjs';
import { isExternal, libFolder, typescript } from './typescript.mjs';

const OBSERVABILITY = join(root, 'sample/02-shop/observability');

/** The files of the sample that `nest add nestjs-tracing --compose grafana` copies. The sample tests them with the programs themselves. */
const TEMPLATES = JSON.parse(readFileSync(join(import.meta.dirname, 'templates.json'), 'utf8'));

export async function buildCommands(dist, onwarn) {
  const schematics = join(dist, 'schematics');
  await bundle('set-up/index.ts', { dir: schematics, entryFileNames: 'schematics.cjs' }, onwarn);
  cpSync(join(libFolder, 'set-up/schematics'), schematics, { recursive: true });
  for (const file of TEMPLATES) {
    const target = join(schematics, 'observability', file);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(OBSERVABILITY, file), target);
  }
  await bundle('doctor/cli.ts', { dir: dist, entryFileNames: 'cli.cjs', banner: '#!/usr/bin/env node' }, onwarn);
  await bundle('doctor/probe.ts', { dir: dist, entryFileNames: 'probe.cjs' }, onwarn);
}

async function bundle(input, output, onwarn) {
  const build = await rollup({
    input: join(libFolder, input),
    plugins: [ownUrl, lateProbe, typescript()],
    external: isExternal,
    onwarn,
    treeshake: { moduleSideEffects: false },
  });
  await build.write({
    format: 'cjs',
    exports: 'named',
    generatedCode: 'es2015',
    externalLiveBindings: false,
    ...output,
  });
}

/** What needs OpenTelemetry is a file of its own, which the program loads late: that package may be what is missing. */
const lateProbe = {
  name: 'late-probe',
  resolveId: (source) => (source === './probe.js' ? { id: './probe.cjs', external: 'relative' } : null),
};
