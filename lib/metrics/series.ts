import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { copyText } from '../core/cut-text.js';
import { warn } from '../core/diagnostics.js';
import type { Labels } from './prom-client.js';
import { prometheusLabel } from './prometheus-name.js';

/** What all series beyond the limit share, by OpenTelemetry's name for it. */
export const OVERFLOW_LABEL = 'otel_metric_overflow';

/** Characters of a label's value. */
const MAX_VALUE = 256;

/** The series of one metric: makes labels of attributes, and sees to it that there are not too many. */
export class Series {
  readonly labelNames: readonly string[];
  readonly #attributes: readonly { readonly attribute: string; readonly label: string }[];
  readonly #known = new Map<string, Labels>();
  #full = false;

  /**
   * @param metric how the metric is called, for the message
   * @param attributes every attribute that may become a label
   * @param limit how many series there may be
   */
  constructor(
    private readonly metric: string,
    attributes: readonly string[],
    private readonly limit: number,
  ) {
    this.#attributes = attributes.map((attribute) => ({ attribute, label: prometheusLabel(attribute) }));
    this.labelNames = [...this.#attributes.map(({ label }) => label), OVERFLOW_LABEL];
  }

  /** The labels of a measurement. The same object for the same series. */
  labels(attributes: Attributes): Labels {
    let key = '';
    for (const { attribute } of this.#attributes) key += `${text(attributes[attribute])}\0`;
    const known = this.#known.get(key);
    if (known) return known;
    if (this.#known.size >= this.limit) return this.#overflow();
    const labels: Labels = {};
    for (const { attribute, label } of this.#attributes) {
      const value = attributes[attribute];
      // A view of a longer text, such as the beginning of a body, would keep all of it for as long as there are metrics.
      if (value !== undefined) labels[label] = copyText(text(value));
    }
    this.#known.set(copyText(key), labels);
    return labels;
  }

  #overflow(): Labels {
    if (!this.#full) {
      this.#full = true;
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

function text(value: AttributeValue | undefined): string {
  return value === undefined ? '' : String(value).slice(0, MAX_VALUE);
}
