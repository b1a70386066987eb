import { DURATION_BUCKETS } from '../core/duration.js';
import {
  methodMetric,
  type MethodMetricDecorator,
  type MethodMetricOptions,
  type MetricAttributes,
  type NoAttributes,
} from './method-metric.js';

/** How a method is timed in a metric of its own. */
export interface TimedOptions<A extends MetricAttributes = MetricAttributes> extends MethodMetricOptions<A> {
  /** Upper bounds of the histogram's buckets, in seconds. @default those of HTTP requests, 5 ms to 10 s */
  buckets?: readonly number[];
}

/**
 * Measures how long each call of a method takes: until its promise has settled, its generator is done, or a subscription of
 * its Observable has ended. Without `metrics` in the options of `TracingModule` it does nothing.
 *
 * By itself in the histogram `method.duration` (`method_duration_seconds` in Prometheus), with the attributes
 * `code.function.name` and, for a call that fails, `error.type`; under a name it is a metric of its own.
 *
 * @example
 * ```ts
 * @Timed()
 * @Timed('payment.duration', { attributes: { 'card.type': (card: Card) => card.type } })
 * ```
 * @throws TypeError where it stands on something else than a method, for a name that is none, and where the same name has
 * other attributes elsewhere
 */
export function Timed(): MethodMetricDecorator<NoAttributes>;
export function Timed<A extends MetricAttributes = NoAttributes>(
  name: string,
  options?: TimedOptions<A>,
): MethodMetricDecorator<A>;
export function Timed(
  name = 'method.duration',
  { attributes = {}, buckets = DURATION_BUCKETS, description = 'Duration of calls of a method.' }: TimedOptions = {},
): MethodMetricDecorator<NoAttributes> {
  return methodMetric({
    decorator: '@Timed()',
    name,
    description,
    unit: 's',
    attributes,
    recorder(instruments, instrument) {
      const histogram = instruments.histogram({ ...instrument, buckets });
      return (stopwatch, values, span) => histogram.record(stopwatch.seconds(), values, span);
    },
  });
}
