import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import type { Instruments, Reading } from '../core/instruments.js';
import type { ExportStatistics } from '../tracing.runtime.js';

// In development, so not among the package's stable names.
const COMPONENT_NAME = 'otel.component.name';
const COMPONENT_TYPE = 'otel.component.type';

const COMPONENT = [COMPONENT_NAME, COMPONENT_TYPE];

/**
 * Observes the way of spans to their backend: what arrives, what is lost and why, and what waits. Returns the functions that
 * end the observation.
 */
export function measureExport(
  instruments: Instruments,
  statistics: () => readonly ExportStatistics[],
): readonly (() => void)[] {
  const exporters = (read: (one: ExportStatistics) => readonly Outcome[]) => () =>
    statistics().flatMap((one) => read(one).map((outcome) => reading(one.exporter, outcome)));
  const processors = (read: (one: ExportStatistics) => readonly Outcome[]) => () =>
    statistics().flatMap((one) => read(one).map((outcome) => reading(one.processor, outcome)));

  return [
    instruments.observeCounter(
      {
        name: 'otel.sdk.exporter.span.exported',
        description: 'Spans whose export has come to its end: with error.type they have not arrived.',
        unit: '{span}',
        attributes: [...COMPONENT, ATTR_ERROR_TYPE],
      },
      exporters(({ exported, failed }) => [
        { value: exported },
        ...[...failed].map(([error, value]) => ({ value, error })),
      ]),
    ),
    instruments.observeCounter(
      {
        name: 'otel.sdk.processor.span.processed',
        description: 'Spans that were handed to the exporter: with error.type they were dropped before.',
        unit: '{span}',
        attributes: [...COMPONENT, ATTR_ERROR_TYPE],
      },
      processors(({ dropped, taken }) => [{ value: taken }, { value: dropped, error: 'queue_full' }]),
    ),
    instruments.observeGauge(
      {
        name: 'otel.sdk.processor.span.queue.size',
        description: 'Spans that wait for their export.',
        unit: '{span}',
        attributes: COMPONENT,
      },
      processors(({ queued }) => [{ value: queued }]),
    ),
    instruments.observeGauge(
      {
        name: 'otel.sdk.processor.span.queue.capacity',
        description: 'Spans that may wait for their export.',
        unit: '{span}',
        attributes: COMPONENT,
      },
      processors(({ capacity }) => [{ value: capacity }]),
    ),
  ];
}

interface Outcome {
  readonly value: number;
  readonly error?: string;
}

function reading({ name, type }: ExportStatistics['exporter'], { error, value }: Outcome): Reading {
  const attributes = { [COMPONENT_NAME]: name, [COMPONENT_TYPE]: type };
  return { value, attributes: error === undefined ? attributes : { ...attributes, [ATTR_ERROR_TYPE]: error } };
}
