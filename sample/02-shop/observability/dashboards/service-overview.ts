import { bars, curves, dashboard, type Panel } from './grafana.js';
import { failedShare, quantile, rate, slowest, sum } from './queries.js';

/** A kind of work, with the labels that distinguish its parts. */
interface Traffic {
  readonly title: string;
  readonly durations: string;
  /** The gauge of the work in progress. */
  readonly active?: string;
  /** The labels of the route or method, and for clients also of the server. */
  readonly target: readonly string[];
  readonly status?: string;
  readonly noun: string;
}

const traffic: readonly Traffic[] = [
  {
    title: 'HTTP, served',
    durations: 'http_server_request_duration_seconds',
    active: 'http_server_active_requests',
    target: ['http_request_method', 'http_route'],
    status: 'http_response_status_code',
    noun: 'requests',
  },
  {
    title: 'gRPC, served',
    durations: 'rpc_server_call_duration_seconds',
    active: 'rpc_server_active_calls',
    target: ['rpc_method'],
    status: 'rpc_status_code',
    noun: 'calls',
  },
  {
    title: 'HTTP, called',
    durations: 'http_client_request_duration_seconds',
    active: 'http_client_active_requests',
    target: ['http_request_method', 'server_address', 'server_port'],
    status: 'http_response_status_code',
    noun: 'requests',
  },
  {
    title: 'gRPC, called',
    durations: 'rpc_client_call_duration_seconds',
    active: 'rpc_client_active_calls',
    target: ['rpc_method'],
    status: 'rpc_status_code',
    noun: 'calls',
  },
  {
    title: 'Methods with @Timed()',
    durations: 'method_duration_seconds',
    target: ['code_function_name'],
    noun: 'calls',
  },
];

export const serviceOverview = dashboard({
  uid: 'nestjs-tracing-services',
  title: 'Services',
  description:
    'Rate, errors and duration of incoming and outgoing requests. A diamond is a request: click it to see its trace.',
  jobs: 'label_values(target_info, job)',
  sections: traffic.map((kind) => ({ title: kind.title, panels: panelsOf(kind) })),
});

function panelsOf({ durations, active, target, status, noun }: Traffic): Panel[] {
  const count = `${durations}_count`;
  const perSecond = curves({
    title: 'Per second',
    unit: 'reqps',
    queries: [{ expr: rate(count, 'job'), legend: '{{job}}' }],
  });
  const failed = curves({
    title: 'Failed',
    description: `The share of ${noun} that have failed, by the status of their spans.`,
    unit: 'percentunit',
    limits: [0.01, 0.05],
    queries: [{ expr: failedShare(count, 'job'), legend: '{{job}}' }],
  });
  const duration = curves({
    title: 'Duration',
    description: `50 %, 95 % and 99 % of the ${noun} took less than this. A diamond is one of them, with a link to its trace.`,
    unit: 's',
    queries: [
      { expr: quantile(0.5, durations), legend: 'p50' },
      { expr: quantile(0.95, durations), legend: 'p95' },
      // Only here, because the exemplars of all three queries come from the same buckets.
      { expr: quantile(0.99, durations), legend: 'p99', exemplars: true },
    ],
  });
  const slowestOnes = bars({
    title: 'Slowest, by p95',
    unit: 's',
    limits: [0.5, 1],
    queries: [
      {
        expr: slowest(durations, ['job', ...target].join(', '), `${target.at(-1)}!=""`),
        legend: `{{job}}: ${target.map((label) => `{{${label}}}`).join(' ')}`,
      },
    ],
  });
  return [
    perSecond,
    failed,
    duration,
    slowestOnes,
    ...(status
      ? [
          curves({
            title: 'Per second, by status',
            unit: 'reqps',
            queries: [{ expr: rate(count, status), legend: `{{${status}}}` }],
          }),
        ]
      : []),
    ...(active
      ? [curves({ title: 'In progress', unit: 'short', queries: [{ expr: sum(active, 'job'), legend: '{{job}}' }] })]
      : []),
  ];
}
