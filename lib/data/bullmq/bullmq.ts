/** The members of BullMQ's objects that are used here. The package itself is never imported. */
import { hasMembers } from '../../core/has-members.js';
import type { JobTelemetry } from './job-telemetry.js';

interface BullOptions {
  /** The option by which BullMQ is traced. */
  telemetry?: JobTelemetry | undefined;
  readonly prefix?: string;
  readonly connection?: unknown;
}

/** A queue, or a worker. */
export interface BullQueue {
  readonly name: string;
  /** The prefix of its keys and its name, `bull:orders`. */
  readonly qualifiedName: string;
  readonly opts: BullOptions;
}

/** A producer of jobs that depend on each other. */
export interface BullFlowProducer {
  telemetry?: JobTelemetry | undefined;
  readonly opts: BullOptions;
}

/** The provider of `@nestjs/bullmq` that creates the workers of processors. */
export interface BullExplorer {
  readonly workers: readonly object[];
}

export function isQueue(candidate: object): boolean {
  return hasMembers(candidate, ['add', 'addBulk', 'opts', 'toKey', 'qualifiedName']);
}

export function isWorker(candidate: object): boolean {
  return hasMembers(candidate, ['processJob', 'startStalledCheckTimer', 'opts', 'toKey', 'qualifiedName']);
}

export function isFlowProducer(candidate: object): boolean {
  return hasMembers(candidate, ['add', 'addBulk', 'getFlow', 'opts']);
}

export function isExplorer(candidate: object): boolean {
  return hasMembers(candidate, ['workers', 'registerWorkers', 'handleProcessor']);
}

/** Versions 5.22 and 5.23 keep the tracer of their telemetry when they are created. */
const KEEPS_TRACER = /\bthis\.tracer\b/;

/** True for a queue or a worker that has the option `telemetry`, and reads it whenever it works. Versions before 5.24 do not. */
export function hasTelemetry(queue: BullQueue): boolean {
  const { trace } = queue as { trace?: unknown };
  return typeof trace === 'function' && !KEEPS_TRACER.test(Function.prototype.toString.call(trace));
}
