import type { Attributes, Span } from '@opentelemetry/api';

/** What is measured, in the terms of OpenTelemetry's metrics. */
export interface InstrumentDescription {
  /** Such as `http.server.active_requests`. */
  readonly name: string;
  readonly description: string;
  /** As UCUM writes it: `s`, `By`, `{request}`. */
  readonly unit: string;
  /** Every attribute that a measurement may have. Prometheus has to know them from the start. */
  readonly attributes: readonly string[];
}

export interface HistogramDescription extends InstrumentDescription {
  /** Upper bounds, in the unit. */
  readonly buckets: readonly number[];
}

export interface Histogram {
  /** @param span what an exemplar leads to, if it is sampled */
  record(value: number, attributes: Attributes, span?: Span): void;
}

export interface Counter {
  /** @param span what an exemplar leads to, if it is sampled */
  add(value: number, attributes: Attributes, span?: Span): void;
}

/** Counts what comes and goes. */
export interface UpDownCounter {
  add(value: number, attributes: Attributes): void;
}

/** A value that is not recorded when it changes, but looked up when metrics are read. */
export interface Reading {
  readonly value: number;
  readonly attributes: Attributes;
}

/** Makes instruments, and the same one again for a name that it has. Nothing here and nothing it makes ever throws. */
export interface Instruments {
  /** Whether other instrumentations of the process record into the same metrics, so that a request may be there already. */
  readonly shared: boolean;
  histogram(description: HistogramDescription): Histogram;
  counter(description: InstrumentDescription): Counter;
  upDownCounter(description: InstrumentDescription): UpDownCounter;
  /** Returns a function that ends the observation, after which nothing of `read` is held. */
  observeCounter(description: InstrumentDescription, read: () => readonly Reading[]): () => void;
  /** Returns a function that ends the observation, after which nothing of `read` is held. */
  observeGauge(description: InstrumentDescription, read: () => readonly Reading[]): () => void;
}
