export const setups = [
  {
    id: 'dd-trace',
    title: 'dd-trace',
    packages: ['dd-trace'],
    setup: 'bare',
    minNode: 22,
    nodeArgs: () => ['--no-warnings', '--import=dd-trace/initialize.mjs'],
    env: (endpoint) => ({
      DD_TRACE_AGENT_URL: endpoint,
      DD_SERVICE: 'bench',
      DD_TRACE_STARTUP_LOGS: 'false',
      // These features are not tracing, and would call other hosts than the agent.
      DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
      DD_REMOTE_CONFIGURATION_ENABLED: 'false',
      DD_CRASHTRACKING_ENABLED: 'false',
      DD_RUNTIME_METRICS_ENABLED: 'false',
      // Its default of 100 traces per second and service would make it cheaper than it is at 100 %.
      DD_TRACE_SAMPLE_RATE: '1',
      DD_TRACE_RATE_LIMIT: '-1',
    }),
    settle: 2_500,
  },
];
