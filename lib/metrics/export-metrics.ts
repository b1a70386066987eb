import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import type { Instruments, Reading } from '../core/instruments.js';
import type { ExportStatistics } from '../tracing.runtime.js';

// Still in development, so the package does not export these names as stable.
const COMPONENT_NAME = 'otel.component.name';
const COMPONENT_TYPE = 'otel.component.type';

const COMPONENT = [COMPONENT_NAME, COMPONENT_TYPE];

/**
 * Observes the export of spans: how many arrive, how many are lost and why, and how many wait in the queue. Returns the
 * functions that end the observation.
 */
export function measureExport(
  instruments: Instruments,
  statistics: () => readonly ExportStatistics[],
): readonly (() => void)[] {
  const perExporter = (read: (one: ExportStatistics) => readonly Count[]) => () =>
    statistics().flatMap((one) => read(one).map((count) => toReading(one.exporter, count)));
  const perProcessor = (read: (one: ExportStatistics) => readonly Count[]) => () =>
    statistics().flatMap((one) => read(one).map((count) => toReading(one.processor, count)));

  return [
    instruments.observeCounter(
      {
        name: 'otel.sdk.exporter.span.exported',
        description: 'Spans whose export has ended. With error.type, the backend did not get them.',
        unit: '{span}',
        attributes: [...COMPONENT, ATTR_ERROR_TYPE],
      },
      perExporter(({ exported, failed }) => [
        { value: exported },
        ...[...failed].map(([error, value]) => ({ value, error })),
      ]),
    ),
    instruments.observeCounter(
      {
        name: 'otel.sdk.processor.span.processed',
        description: 'Spans that the processor has passed to the exporter. With error.type, it dropped them instead.',
        unit: '{span}',
        attributes: [...COMPONENT, ATTR_ERROR_TYPE],
      },
      perProcessor(({ dropped, taken }) => [{ value: taken }, { value: dropped, error: 'queue_full' }]),
    ),
    instruments.observeGauge(
      {
        name: 'otel.sdk.processor.span.queue.size',
        description: 'Spans that wait in the queue for their export.',
        unit: '{span}',
        attributes: COMPONENT,
      },
      perProcessor(({ queued }) => [{ value: queued }]),
    ),
    instruments.observeGauge(
      {
        name: 'otel.sdk.processor.span.queue.capacity',
        description: 'Spans that fit into the queue.',
        unit: '{span}',
        attributes: COMPONENT,
      },
      perProcessor(({ capacity }) => [{ value: capacity }]),
    ),
  ];
}

/** A number of spans, and the kind of failure that they have in common. */
interface Count {
  readonly value: number;
  readonly error?: string;
}

function toReading({ name, type }: ExportStatistics['exporter'], { error, value }: Count): Reading {
  const attributes = { [COMPONENT_NAME]: name, [COMPONENT_TYPE]: type };
  return { value, attributes: error === undefined ? attributes : { ...attributes, [ATTR_ERROR_TYPE]: error } };
}
