import { build } from 'esbuild';

/** The whole application in one file, the library and Nest included, as docs/bundling.md says. */
const common = {
  entryPoints: ['dist/app.js'],
  bundle: true,
  platform: 'node',
  target: 'node20',
  keepNames: true,
  minify: true,
  external: ['@nestjs/microservices', '@nestjs/websockets', 'class-transformer', 'class-validator'],
};
await build({ ...common, format: 'cjs', outfile: 'bundle/main.cjs' });
await build({
  ...common,
  format: 'esm',
  outfile: 'bundle/main.mjs',
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
});
