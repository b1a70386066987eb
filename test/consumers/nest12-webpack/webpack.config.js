import webpack from 'webpack';

/** The whole application in one file, the library and Nest included. */
export default {
  mode: 'production',
  target: 'node20',
  entry: './dist/app.js',
  output: { path: `${import.meta.dirname}/bundle`, filename: 'main.cjs' },
  optimization: { minimize: false },
  devtool: 'source-map',
  stats: 'errors-only',
  plugins: [
    // Packages that Nest loads only if they are installed.
    new webpack.IgnorePlugin({
      resourceRegExp: /^(@nestjs\/(microservices|websockets)|class-transformer|class-validator)(\/|$)/,
    }),
  ],
};
