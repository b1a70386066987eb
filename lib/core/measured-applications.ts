import type { Instances } from './application-instances.js';
import { activeEntry } from './entry.js';
import type { Instruments } from './instruments.js';

/** An application with a TracingModule, as far as metrics are concerned. */
export interface MeasuredApplication {
  /** Undefined where the application measures nothing: calls of its methods count for no other one either. */
  readonly instruments: Instruments | undefined;
  readonly instances: Instances;
  /** Whether the start has succeeded. */
  started: boolean;
}

// Kept with the process, because an application may use another copy of this library than its neighbour.
const KEY = Symbol.for('nestjs-tracing:measured-applications');
const holder = globalThis as { [KEY]?: MeasuredApplication[] };
/** Oldest first. */
const applications: MeasuredApplication[] = (holder[KEY] ??= []);

/**
 * Adds an application that starts. It takes the place of those whose start has not succeeded so far: Nest does not report
 * a start that has failed.
 */
export function addMeasuredApplication(
  instruments: Instruments | undefined,
  instances: Instances,
): MeasuredApplication {
  for (const application of applications.filter(({ started }) => !started)) removeMeasuredApplication(application);
  const application = { instruments, instances, started: false };
  applications.push(application);
  return application;
}

/** Keeps an application whose start has succeeded, also where another one that began meanwhile has taken its place. */
export function keepMeasuredApplication(application: MeasuredApplication): void {
  application.started = true;
  if (!applications.includes(application)) applications.push(application);
}

export function removeMeasuredApplication(application: MeasuredApplication): void {
  application.started = false;
  const index = applications.indexOf(application);
  if (index !== -1) applications.splice(index, 1);
}

/** The instruments of the newest application that measures: for what belongs to no application. */
export function currentInstruments(): Instruments | undefined {
  return applications.findLast(({ instruments }) => instruments)?.instruments;
}

/**
 * The instruments of the application that an object belongs to: the application whose dependency injection made it; else the
 * only one that has a provider of its class; else the application whose request is being served; else the newest one.
 *
 * @param target an object with a method, or a class with a static one
 */
export function instrumentsOf(target: unknown): Instruments | undefined {
  // The usual case, which has to cost nothing.
  if (applications.length < 2) return applications[0]?.instruments;
  const owner = ownerBy((instances) => instances.has(target)) ?? ownerBy((instances) => instances.hasClassOf(target));
  if (owner) return owner.instruments;
  const entry = activeEntry();
  return entry ? entry.instruments : currentInstruments();
}

/** The application that a condition is true for, if there is exactly one. */
function ownerBy(owns: (instances: Instances) => boolean): MeasuredApplication | undefined {
  let owner: MeasuredApplication | undefined;
  for (const application of applications) {
    if (!owns(application.instances)) continue;
    if (owner) return undefined;
    owner = application;
  }
  return owner;
}
