export const setups = [
  {
    id: 'sentry',
    title: '@sentry/nestjs',
    packages: ['@sentry/nestjs'],
    setup: 'sentry',
    nodeArgs: (folder) => ['--no-warnings', `--import=${folder}/setups/instrument.js`],
    settle: 500,
  },
];
