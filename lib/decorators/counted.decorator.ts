import {
  methodMetric,
  type MethodMetricDecorator,
  type MethodMetricOptions,
  type MetricAttributes,
  type NoAttributes,
} from './method-metric.js';

/** Options of the metric that counts the calls of a method. */
export type CountedOptions<A extends MetricAttributes = MetricAttributes> = MethodMetricOptions<A>;

/**
 * Counts the calls of a method. A call is counted when it ends, as for `@Timed()`. Without the option `metrics` of
 * `TracingModule` it does nothing.
 *
 * Without a name, the counter is `method.calls` (`method_calls_total` in Prometheus). With a name, it is a metric of its own.
 * Its attributes are `code.function.name` and, if the call fails, `error.type`.
 *
 * @example
 * ```ts
 * @Counted()
 * @Counted('orders.placed', { attributes: { 'order.channel': (order: Order) => order.channel } })
 * ```
 * @throws TypeError if it does not decorate a method, if the name is malformed, or if another decorator gives the metric of
 * this name other attributes
 */
export function Counted(): MethodMetricDecorator<NoAttributes>;
export function Counted<A extends MetricAttributes = NoAttributes>(
  name: string,
  options?: CountedOptions<A>,
): MethodMetricDecorator<A>;
export function Counted(
  name = 'method.calls',
  { attributes = {}, description = 'Calls of a method.' }: CountedOptions = {},
): MethodMetricDecorator<NoAttributes> {
  return methodMetric({
    decorator: '@Counted()',
    name,
    description,
    unit: '{call}',
    attributes,
    createRecorder(instruments, instrument) {
      const counter = instruments.counter(instrument);
      return (_stopwatch, values, span) => counter.add(1, values, span);
    },
  });
}
