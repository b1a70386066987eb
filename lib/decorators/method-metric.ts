import { trace, type Attributes, type Span } from '@opentelemetry/api';
import { ATTR_CODE_FUNCTION_NAME, ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { callSafely } from '../core/diagnostics.js';
import { Stopwatch } from '../core/duration.js';
import { errorType } from '../core/exception.js';
import type { InstrumentDescription, Instruments } from '../core/instruments.js';
import { instrumentsOf } from '../core/measured-applications.js';
import { callNested, callUnwrapped, MAX_NESTING, nesting } from '../core/nesting.js';
import { settle } from '../core/settle.js';
import type { Work } from '../core/work.js';
import { copyMethodIdentity, decoratedMethod, qualifiedName, type AnyMethod } from '../core/wrap-method.js';

/** The value of an attribute of a metric. */
export type MetricAttributeValue = string | number | boolean;

/**
 * Attributes of a method's metric: values, or functions of the method's arguments that return them. Each attribute should have
 * few different values.
 */
export type MetricAttributes = Readonly<
  Record<string, MetricAttributeValue | ((...args: never[]) => MetricAttributeValue | undefined)>
>;

/** No attributes besides the method's name and the type of its failure. */
export type NoAttributes = Readonly<Record<string, never>>;

/** Options of a metric that measures a method. */
export interface MethodMetricOptions<A extends MetricAttributes = MetricAttributes> {
  /** The description of the metric, which backends show. */
  description?: string | undefined;
  /** Attributes besides the method's name. A metric has the same ones wherever it is used. */
  attributes?: A | undefined;
}

/** Makes the compiler report at the decorator that one of its attribute functions does not fit the method. */
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

/** Records one call that has ended. */
type RecordCall = (stopwatch: Stopwatch, attributes: Attributes, span: Span | undefined) => void;

/** The metric that a decorator measures methods with. */
interface MethodMetric {
  /** The decorator as it is written: `@Timed()`. */
  readonly decorator: string;
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly attributes: MetricAttributes;
  /** Creates the instrument. Called once for each application. */
  readonly createRecorder: (instruments: Instruments, instrument: InstrumentDescription) => RecordCall;
}

/** The syntax that OpenTelemetry's specification gives for the name of an instrument. */
const INSTRUMENT_NAME = /^[a-z][a-z0-9_.\-/]{0,254}$/i;

/** The attributes that each metric was declared with, by the name of the metric. */
const declaredAttributes = new Map<string, string>();

/** Creates a decorator that measures the calls of a method in each application that has metrics. */
export function methodMetric(metric: MethodMetric): MethodMetricDecorator<NoAttributes> {
  return (target, key, descriptor) => {
    const method = decoratedMethod(metric.decorator, target, key, descriptor);
    (descriptor as PropertyDescriptor).value = measureMethod(target, key, method, metric);
  };
}

function describeMetric({ attributes, decorator, description, name, unit }: MethodMetric): InstrumentDescription {
  const names = Object.keys(attributes);
  if (!INSTRUMENT_NAME.test(name)) {
    throw new TypeError(
      `${decorator} has the name ${JSON.stringify(name)}. Begin with a letter, and use letters, digits, ".", "_", "-", "/".`,
    );
  }
  const declared = declaredAttributes.get(name) ?? names.toSorted().join(', ');
  if (declared !== names.toSorted().join(', ')) {
    const given = names.join(', ') || 'none';
    throw new TypeError(
      `${decorator} declares the metric "${name}" with the attributes ${given}; elsewhere it has ${declared || 'none'}. Give it the same, or another name.`,
    );
  }
  declaredAttributes.set(name, declared);
  return { name, description, unit, attributes: [ATTR_CODE_FUNCTION_NAME, ATTR_ERROR_TYPE, ...names] };
}

function measureMethod(target: object, key: string | symbol, method: AnyMethod, metric: MethodMetric): AnyMethod {
  const instrument = describeMetric(metric);
  const functionName = qualifiedName(target, key);
  const recorders = new WeakMap<Instruments, RecordCall>();

  function recorderFor(instruments: Instruments): RecordCall | undefined {
    const existing = recorders.get(instruments);
    if (existing) return existing;
    return callSafely(`${metric.decorator} of ${functionName}`, () => {
      const recorder = metric.createRecorder(instruments, instrument);
      recorders.set(instruments, recorder);
      return recorder;
    });
  }

  function measuredMethod(this: unknown, ...args: unknown[]): unknown {
    if (nesting.depth >= MAX_NESTING) return callUnwrapped(target, key, measuredMethod, method, this, args);
    const instruments = instrumentsOf(this);
    const record = instruments && recorderFor(instruments);
    if (!record) return callNested(method, this, args);
    return settle(() => new MeasuredCall(record, methodAttributes(functionName, metric, args)), method, this, args);
  }
  return copyMethodIdentity(measuredMethod, method);
}

/** One call, which is recorded when it ends. */
class MeasuredCall implements Work {
  readonly context = undefined;
  private stopwatch = new Stopwatch();
  private readonly span = trace.getActiveSpan();
  private hasEnded = false;

  constructor(
    private readonly record: RecordCall,
    private readonly attributes: Attributes,
  ) {}

  restart(): void {
    this.stopwatch = new Stopwatch();
  }

  succeed(): void {
    this.end(this.attributes);
  }

  complete(): void {
    this.end(this.attributes);
  }

  fail(thrown: unknown): void {
    this.end({ ...this.attributes, [ATTR_ERROR_TYPE]: errorType(thrown) });
  }

  cancel(): void {
    this.end(this.attributes);
  }

  private end(attributes: Attributes): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.record(this.stopwatch, attributes, this.span);
  }
}

/** The attributes of one call. */
function methodAttributes(functionName: string, { attributes, decorator }: MethodMetric, args: unknown[]): Attributes {
  const values: Attributes = { [ATTR_CODE_FUNCTION_NAME]: functionName };
  for (const [name, attribute] of Object.entries(attributes)) {
    const value =
      typeof attribute === 'function'
        ? callSafely(`The attribute ${name} of ${decorator} of ${functionName}`, () => attribute(...(args as never[])))
        : attribute;
    if (value !== undefined) values[name] = value;
  }
  return values;
}
