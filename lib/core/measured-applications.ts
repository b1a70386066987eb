import type { Instances } from './application-instances.js';
import { ApplicationRegistry, type RegisteredApplication } from './application-registry.js';
import { IncomingOperation } from './incoming-operation.js';
import type { Instruments } from './instruments.js';
import { OperationMeter, type OperationMetrics } from './operation-meter.js';

/** An application with a TracingModule, and the instruments of its metrics. */
export interface MeasuredApplication {
  /** Undefined if the application measures nothing. Calls of its methods are then not measured by another application either. */
  readonly instruments: Instruments | undefined;
  readonly instances: Instances;
}

const applications = new ApplicationRegistry<MeasuredApplication>(
  'nestjs-tracing:measured-applications',
  () => globalThis,
);

/** Adds an application that starts. */
export function addMeasuredApplication(application: MeasuredApplication): RegisteredApplication<MeasuredApplication> {
  return applications.add(application);
}

/** Returns the instruments of the newest application that measures, for calls that belong to no application. */
export function currentInstruments(): Instruments | undefined {
  return applications.all.findLast(({ instruments }) => instruments)?.instruments;
}

/** Returns the meter of the newest application that measures, for operations of one kind. */
export function currentMeter(metrics: OperationMetrics): OperationMeter | undefined {
  const instruments = currentInstruments();
  return instruments && OperationMeter.of(instruments, metrics);
}

/**
 * Returns the instruments of the application that an object belongs to: the application whose dependency injection made it; else
 * the only one that has a provider of its class; else the application whose request is being served; else the newest one.
 *
 * @param target an object with a method, or a class with a static one
 */
export function instrumentsOf(target: unknown): Instruments | undefined {
  const { all } = applications;
  // A process usually has one application, and then nothing has to be looked up.
  if (all.length < 2) return all[0]?.instruments;
  const owner =
    onlyOwner(all, (instances) => instances.has(target)) ?? onlyOwner(all, (instances) => instances.hasClassOf(target));
  if (owner) return owner.instruments;
  const incoming = IncomingOperation.active();
  return incoming ? incoming.instruments : currentInstruments();
}

/** Returns the application that a condition is true for. Undefined unless there is exactly one. */
function onlyOwner(
  all: readonly MeasuredApplication[],
  owns: (instances: Instances) => boolean,
): MeasuredApplication | undefined {
  const [owner, ...others] = all.filter(({ instances }) => owns(instances));
  return others.length === 0 ? owner : undefined;
}
