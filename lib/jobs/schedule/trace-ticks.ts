import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { withCurrentSpan } from '../../core/current-span-parameters.js';
import { IncomingOperation } from '../../core/incoming-operation.js';
import type { OperationMeter } from '../../core/operation-meter.js';
import { settle } from '../../core/settle.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { JobExchange } from '../job-exchange.js';
import { JobWork, type OpenJobs } from '../job-work.js';
import type { ScheduledJob } from './scheduled-job.js';

export interface TickSettings {
  readonly meter: OperationMeter | undefined;
  readonly open: OpenJobs;
}

/** Traces the ticks of the scheduled jobs of an application. Each tick is the root of a trace of its own. */
export class TickTracer {
  /** Undefined once the application has shut down. Jobs may live on, and then tick without a span. */
  #settings: TickSettings | undefined;

  constructor(settings: TickSettings) {
    this.#settings = settings;
  }

  /** Returns a function that calls a method as one tick of a job. */
  trace(method: AnyMethod, job: ScheduledJob): AnyMethod {
    // oxlint-disable-next-line typescript/no-this-alias -- `this` of the returned function is that of its caller
    const tracer = this;
    return function tick(this: unknown, ...args: unknown[]): unknown {
      return tracer.#run(method, job, this, args);
    };
  }

  stop(): void {
    this.#settings = undefined;
  }

  #run(method: AnyMethod, job: ScheduledJob, thisArg: unknown, args: readonly unknown[]): unknown {
    const settings = this.#settings;
    if (!settings) return Reflect.apply(method, thisArg, args);
    const { spanParameters } = job;
    const start = () => startTick(job, settings);
    if (spanParameters.length === 0) return settle(start, method, thisArg, args);
    return settle(start, method, thisArg, (work) => withCurrentSpan(args, spanParameters, work?.incoming.span));
  }
}

// A tick runs in the context in which its timer was created, which may be that of a request: nothing of it is taken over.
function startTick(job: ScheduledJob, { meter, open }: TickSettings): JobWork {
  const exchange = new JobExchange(job.measured);
  const incoming = job.isUntraced()
    ? IncomingOperation.measureOnly(exchange, meter, ROOT_CONTEXT)
    : IncomingOperation.start(job.spanName, exchange, {
        kind: SpanKind.INTERNAL,
        placement: { parent: ROOT_CONTEXT },
        attributes: job.attributes,
        forFunction: job.methodName,
        meter,
      });
  incoming.measure(() => job.measured);
  return new JobWork(incoming, open);
}
