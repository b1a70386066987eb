/** Arguments of Node that load OpenTelemetry's instrumentations first, as their documentation says. */
export const otelPreload = {
  esm: (folder) => [
    '--no-warnings',
    '--experimental-loader=@opentelemetry/instrumentation/hook.mjs',
    `--import=${folder}/instrumentations.js`,
  ],
  commonjs: (folder) => [`--require=${folder}/instrumentations.js`],
};
