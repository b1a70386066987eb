import type { Attributes, Span } from '@opentelemetry/api';

/** The description of a metric, in the terms of OpenTelemetry. */
export interface InstrumentDescription {
  /** The name of the metric, such as `http.server.active_requests`. */
  readonly name: string;
  readonly description: string;
  /** The unit in UCUM's notation: `s`, `By`, `{request}`. */
  readonly unit: string;
  /** All attributes that a measurement may have. prom-client needs them when the metric is created. */
  readonly attributes: readonly string[];
}

export interface HistogramDescription extends InstrumentDescription {
  /** The upper bounds of the buckets, in the unit of the metric. */
  readonly buckets: readonly number[];
}

export interface Histogram {
  /** @param span the span that an exemplar references, if it is sampled */
  record(value: number, attributes: Attributes, span?: Span): void;
}

export interface Counter {
  /** @param span the span that an exemplar references, if it is sampled */
  add(value: number, attributes: Attributes, span?: Span): void;
}

/** A number that goes up and down, such as that of active requests. */
export interface UpDownCounter {
  add(value: number, attributes: Attributes): void;
}

/** A value of an observable instrument, which is read when metrics are collected. */
export interface Reading {
  readonly value: number;
  readonly attributes: Attributes;
}

/** Creates instruments. The same name always gives the same instrument. Neither its methods nor those of the instruments ever throw. */
export interface Instruments {
  /** True if other instrumentations of the process record into the same metrics, so that they may have measured a request already. */
  readonly isShared: boolean;
  histogram(description: HistogramDescription): Histogram;
  counter(description: InstrumentDescription): Counter;
  upDownCounter(description: InstrumentDescription): UpDownCounter;
  /** Returns a function that ends the observation and releases `read`. */
  observeCounter(description: InstrumentDescription, read: () => readonly Reading[]): () => void;
  /** Returns a function that ends the observation and releases `read`. */
  observeGauge(description: InstrumentDescription, read: () => readonly Reading[]): () => void;
}
