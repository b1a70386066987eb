import { trace, type Attributes, type Span } from '@opentelemetry/api';
import { ATTR_CODE_FUNCTION_NAME, ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { guarded } from '../core/diagnostics.js';
import { Stopwatch } from '../core/duration.js';
import { errorType } from '../core/exception.js';
import type { InstrumentDescription, Instruments } from '../core/instruments.js';
import { instrumentsOf } from '../core/measured-applications.js';
import { callNested, callUnwrapped, MAX_NESTING, nesting } from '../core/nesting.js';
import { settle } from '../core/settle.js';
import type { Work } from '../core/work.js';
import { disguise, methodOf, qualifiedName, type AnyMethod } from '../core/wrap-method.js';

/** What can be counted by. */
export type MetricAttributeValue = string | number | boolean;

/** Attributes of a method's metric: values, or functions of the method's arguments. Each should have few values. */
export type MetricAttributes = Readonly<
  Record<string, MetricAttributeValue | ((...args: never[]) => MetricAttributeValue | undefined)>
>;

/** Where a method is counted by nothing but its name and its failures. */
export type NoAttributes = Readonly<Record<string, never>>;

/** How a method is measured that has a metric of its own. */
export interface MethodMetricOptions<A extends MetricAttributes = MetricAttributes> {
  /** What the metric is about, for whoever comes across it. */
  description?: string;
  /** More attributes than the method's name. They are fixed, so that a metric has the same labels wherever it is used. */
  attributes?: A;
}

/** Says at the decorator that a function among its attributes does not fit the method. */
export type FittingAttributes<Method, A extends MetricAttributes> = Method extends (
  ...args: infer Parameters
) => unknown
  ? Misfits<A, Parameters> extends never
    ? unknown
    : { 'these attributes do not accept the parameters of this method': Misfits<A, Parameters> }
  : never;

type Misfits<A extends MetricAttributes, Parameters extends unknown[]> = {
  [Name in keyof A]: A[Name] extends (...args: infer Args) => unknown
    ? ((...args: Args) => unknown) extends (...args: Parameters) => unknown
      ? never
      : Name
    : never;
}[keyof A];

/** A decorator for methods whose parameters the attributes accept. */
export type MethodMetricDecorator<A extends MetricAttributes> = <Method extends (...args: never[]) => unknown>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<Method> & FittingAttributes<Method, A>,
) => void;

/** What is recorded of one call that is over. */
type RecordCall = (stopwatch: Stopwatch, attributes: Attributes, span: Span | undefined) => void;

/** What a decorator measures methods by. */
interface MethodMetric {
  /** As it is written: `@Timed()`. */
  readonly decorator: string;
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly attributes: MetricAttributes;
  /** Makes the instrument, once for an application. */
  readonly recorder: (instruments: Instruments, instrument: InstrumentDescription) => RecordCall;
}

/** A name as OpenTelemetry wants it of an instrument. */
const NAME = /^[a-z][a-z0-9_.\-/]{0,254}$/i;

/** The attributes by which each metric of a name of its own was declared. */
const declared = new Map<string, string>();

/** A decorator that has the calls of a method measured where anything is. */
export function methodMetric(metric: MethodMetric): MethodMetricDecorator<NoAttributes> {
  return (target, key, descriptor) => {
    const method = methodOf(metric.decorator, target, key, descriptor);
    (descriptor as PropertyDescriptor).value = measureMethod(target, key, method, metric);
  };
}

function describeMetric({ attributes, decorator, description, name, unit }: MethodMetric): InstrumentDescription {
  const names = Object.keys(attributes);
  if (!NAME.test(name)) {
    throw new TypeError(
      `${decorator} has the name ${JSON.stringify(name)}. Begin with a letter, and use letters, digits, ".", "_", "-", "/".`,
    );
  }
  const known = declared.get(name) ?? names.toSorted().join(', ');
  if (known !== names.toSorted().join(', ')) {
    const given = names.join(', ') || 'none';
    throw new TypeError(
      `${decorator} declares the metric "${name}" with the attributes ${given}; elsewhere it has ${known || 'none'}. Give it the same, or another name.`,
    );
  }
  declared.set(name, known);
  return { name, description, unit, attributes: [ATTR_CODE_FUNCTION_NAME, ATTR_ERROR_TYPE, ...names] };
}

function measureMethod(target: object, key: string | symbol, method: AnyMethod, metric: MethodMetric): AnyMethod {
  const instrument = describeMetric(metric);
  const functionName = qualifiedName(target, key);
  const recorders = new WeakMap<Instruments, RecordCall>();

  function recorderOf(instruments: Instruments): RecordCall | undefined {
    const known = recorders.get(instruments);
    if (known) return known;
    return guarded(`${metric.decorator} of ${functionName}`, () => {
      const made = metric.recorder(instruments, instrument);
      recorders.set(instruments, made);
      return made;
    });
  }

  function measured(this: unknown, ...args: unknown[]): unknown {
    if (nesting.depth >= MAX_NESTING) return callUnwrapped(target, key, measured, method, this, args);
    const instruments = instrumentsOf(this);
    const record = instruments && recorderOf(instruments);
    if (!record) return callNested(method, this, args);
    return settle(() => new MeasuredCall(record, attributesOf(functionName, metric, args)), method, this, args);
  }
  return disguise(measured, method);
}

/** One call, which is recorded when it is over. */
class MeasuredCall implements Work {
  readonly context = undefined;
  private stopwatch = new Stopwatch();
  private readonly span = trace.getActiveSpan();
  private over = false;

  constructor(
    private readonly record: RecordCall,
    private readonly attributes: Attributes,
  ) {}

  restart(): void {
    this.stopwatch = new Stopwatch();
  }

  succeeded(): void {
    this.left();
  }

  failed(thrown: unknown): void {
    this.end({ ...this.attributes, [ATTR_ERROR_TYPE]: errorType(thrown) });
  }

  left(): void {
    this.end(this.attributes);
  }

  private end(attributes: Attributes): void {
    if (this.over) return;
    this.over = true;
    this.record(this.stopwatch, attributes, this.span);
  }
}

function attributesOf(functionName: string, { attributes, decorator }: MethodMetric, args: unknown[]): Attributes {
  const values: Attributes = { [ATTR_CODE_FUNCTION_NAME]: functionName };
  for (const [name, given] of Object.entries(attributes)) {
    const value =
      typeof given === 'function'
        ? guarded(`The attribute ${name} of ${decorator} of ${functionName}`, () => given(...(args as never[])))
        : given;
    if (value !== undefined) values[name] = value;
  }
  return values;
}
