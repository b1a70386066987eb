import { bars, curves, dashboard } from './grafana.js';
import { each, failureRate, rate, sum } from './queries.js';

const EXPORTED = 'otel_sdk_exporter_span_exported_total';
const PROCESSED = 'otel_sdk_processor_span_processed_total';
const QUEUED = 'otel_sdk_processor_span_queue_size';
const CAPACITY = 'otel_sdk_processor_span_queue_capacity';

export const libraryHealth = dashboard({
  uid: 'nestjs-tracing-health',
  title: 'Tracing and process',
  description: 'Do the spans of the services arrive, and which resources do the services use?',
  jobs: 'label_values(target_info, job)',
  sections: [
    {
      title: 'Spans',
      panels: [
        curves({
          title: 'Exported per second',
          unit: 'short',
          queries: [{ expr: rate(EXPORTED, 'job', 'error_type=""'), legend: '{{job}}' }],
        }),
        curves({
          title: 'Dropped per second',
          description: 'The queue was full: spans end faster than the backend accepts them.',
          unit: 'short',
          limits: [1, 100],
          queries: [{ expr: failureRate(PROCESSED, 'job'), legend: '{{job}}' }],
        }),
        curves({
          title: 'Failed per second',
          description: 'The backend did not accept them, or did not respond.',
          unit: 'short',
          limits: [1, 100],
          queries: [{ expr: failureRate(EXPORTED, 'job'), legend: '{{job}}' }],
        }),
        curves({
          title: 'Waiting for their export',
          unit: 'short',
          queries: [{ expr: sum(QUEUED, 'job'), legend: '{{job}}' }],
        }),
        curves({
          title: 'Fill level of the queue',
          unit: 'percentunit',
          limits: [0.5, 0.9],
          queries: [{ expr: `${sum(QUEUED, 'job')} / ${sum(CAPACITY, 'job')}`, legend: '{{job}}' }],
        }),
        curves({
          title: 'Metrics beyond the limit',
          description: 'Metrics with too many series: those beyond the limit are counted in one.',
          unit: 'short',
          limits: [1, 2],
          queries: [
            {
              // Only the overflow series has the label, so the query has no result without an overflow.
              expr: `count by (job) (${each('', 'otel_metric_overflow="true", __name__=~".+_(count|total)"')}) or 0 * ${sum('up', 'job')}`,
              legend: '{{job}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'Process',
      panels: [
        curves({
          title: 'Event loop lag',
          description: 'How late timers run: the delay that 99 % of them do not exceed, and the average.',
          unit: 's',
          limits: [0.1, 0.5],
          queries: [
            { expr: each('nodejs_eventloop_lag_p99_seconds'), legend: '{{job}} p99' },
            { expr: each('nodejs_eventloop_lag_mean_seconds'), legend: '{{job}} mean' },
          ],
        }),
        curves({
          title: 'Memory',
          unit: 'bytes',
          queries: [
            { expr: each('process_resident_memory_bytes'), legend: '{{job}} resident' },
            { expr: each('nodejs_heap_size_used_bytes'), legend: '{{job}} heap' },
          ],
        }),
        curves({
          title: 'CPU, in cores',
          unit: 'short',
          queries: [{ expr: rate('process_cpu_seconds_total', 'job'), legend: '{{job}}' }],
        }),
        curves({
          title: 'Garbage collection, share of time',
          unit: 'percentunit',
          limits: [0.05, 0.2],
          queries: [{ expr: rate('nodejs_gc_duration_seconds_sum', 'job'), legend: '{{job}}' }],
        }),
        curves({
          title: 'Duration of a scrape',
          unit: 's',
          queries: [{ expr: each('scrape_duration_seconds'), legend: '{{job}}' }],
        }),
        bars({
          title: 'Series of a scrape',
          unit: 'short',
          queries: [{ expr: each('scrape_samples_scraped'), legend: '{{job}}' }],
        }),
      ],
    },
  ],
});
