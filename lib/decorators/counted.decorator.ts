import {
  methodMetric,
  type MethodMetricDecorator,
  type MethodMetricOptions,
  type MetricAttributes,
  type NoAttributes,
} from './method-metric.js';

/** How the calls of a method are counted in a metric of its own. */
export type CountedOptions<A extends MetricAttributes = MetricAttributes> = MethodMetricOptions<A>;

/**
 * Counts the calls of a method, each when it is over, as for `@Timed()`. Without `metrics` in the options of `TracingModule`
 * it does nothing.
 *
 * By itself in the counter `method.calls` (`method_calls_total` in Prometheus), with the attributes `code.function.name`
 * and, for a call that fails, `error.type`; under a name it is a metric of its own.
 *
 * @example
 * ```ts
 * @Counted()
 * @Counted('orders.placed', { attributes: { 'order.channel': (order: Order) => order.channel } })
 * ```
 * @throws TypeError where it stands on something else than a method, for a name that is none, and where the same name has
 * other attributes elsewhere
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
    recorder(instruments, instrument) {
      const counter = instruments.counter(instrument);
      return (_stopwatch, values, span) => counter.add(1, values, span);
    },
  });
}
