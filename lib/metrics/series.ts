import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { copyText } from '../core/cut-text.js';
import { warn } from '../core/diagnostics.js';
import type { Labels } from './prom-client.js';
import { prometheusLabel } from './prometheus-name.js';

/** The label of the series that counts for all series beyond the limit. OpenTelemetry gives it this name. */
export const OVERFLOW_LABEL = 'otel_metric_overflow';

/** The greatest length of a label's value. */
const MAX_VALUE = 256;

/** The series of one metric: turns attributes into labels, and limits how many different ones there are. */
export class Series {
  readonly labelNames: readonly string[];
  readonly #attributes: readonly { readonly attribute: string; readonly label: string }[];
  readonly #labels = new Map<string, Labels>();
  #isFull = false;

  /**
   * @param metric the name of the metric, for the warning
   * @param attributes every attribute that may become a label
   * @param limit the greatest number of series
   */
  constructor(
    private readonly metric: string,
    attributes: readonly string[],
    private readonly limit: number,
  ) {
    this.#attributes = attributes.map((attribute) => ({ attribute, label: prometheusLabel(attribute) }));
    this.labelNames = [...this.#attributes.map(({ label }) => label), OVERFLOW_LABEL];
  }

  /** Returns the labels of a measurement: the same object for the same series. */
  labels(attributes: Attributes): Labels {
    let key = '';
    for (const { attribute } of this.#attributes) key += `${labelValue(attributes[attribute])}\0`;
    const existing = this.#labels.get(key);
    if (existing) return existing;
    if (this.#labels.size >= this.limit) return this.#overflow();
    const labels: Labels = {};
    for (const { attribute, label } of this.#attributes) {
      const value = attributes[attribute];
      // The value may be the view of a longer text, such as a request body. A copy does not keep that text in memory.
      if (value !== undefined) labels[label] = copyText(labelValue(value));
    }
    this.#labels.set(copyText(key), labels);
    return labels;
  }

  #overflow(): Labels {
    if (!this.#isFull) {
      this.#isFull = true;
      const fix = 'Look for an attribute with too many values, or raise metrics.cardinalityLimit.';
      warn(
        `cardinality:${this.metric}`,
        `The metric ${this.metric} has ${this.limit} series: further ones are counted under ${OVERFLOW_LABEL}="true". ${fix}`,
      );
    }
    return OVERFLOW;
  }
}

const OVERFLOW: Labels = { [OVERFLOW_LABEL]: 'true' };

/** The value of a label, cut to its greatest length. Empty if the attribute is missing, as in Prometheus. */
function labelValue(value: AttributeValue | undefined): string {
  return value === undefined ? '' : String(value).slice(0, MAX_VALUE);
}
