/** The Node arguments that preload OpenTelemetry's instrumentations, as their documentation shows it. */
export const otelPreload = {
  esm: (folder) => [
    '--no-warnings',
    '--experimental-loader=@opentelemetry/instrumentation/hook.mjs',
    `--import=${folder}/instrumentations.js`,
  ],
  commonjs: (folder) => [`--require=${folder}/instrumentations.js`],
};
