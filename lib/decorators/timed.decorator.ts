import { DURATION_BUCKETS } from '../core/duration.js';
import {
  methodMetric,
  type MethodMetricDecorator,
  type MethodMetricOptions,
  type MetricAttributes,
  type NoAttributes,
} from './method-metric.js';

/** Options of the metric that measures the duration of a method's calls. */
export interface TimedOptions<A extends MetricAttributes = MetricAttributes> extends MethodMetricOptions<A> {
  /** The upper bounds of the histogram's buckets, in seconds. @default the bounds for HTTP requests, 5 ms to 10 s */
  buckets?: readonly number[] | undefined;
}

/**
 * Measures the duration of each call of a method. A call ends when its promise settles, its generator is done, or a
 * subscription of its Observable ends. Without the option `metrics` of `TracingModule` it does nothing.
 *
 * Without a name, the histogram is `method.duration` (`method_duration_seconds` in Prometheus). With a name, it is a metric of
 * its own. Its attributes are `code.function.name` and, if the call fails, `error.type`.
 *
 * @example
 * ```ts
 * @Timed()
 * @Timed('payment.duration', { attributes: { 'card.type': (card: Card) => card.type } })
 * ```
 * @throws TypeError if it does not decorate a method, if the name is malformed, or if another decorator gives the metric of
 * this name other attributes
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
    createRecorder(instruments, instrument) {
      const histogram = instruments.histogram({ ...instrument, buckets });
      return (stopwatch, values, span) => histogram.record(stopwatch.seconds(), values, span);
    },
  });
}
