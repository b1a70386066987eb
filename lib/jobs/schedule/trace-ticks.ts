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
    const { spanParameters } = job;
    const currentSettings = () => this.#settings;
    // This function calls `settle()` itself, which calls the method: V8 keeps only ten frames of a stack.
    return function tick(this: unknown, ...args: unknown[]): unknown {
      const settings = currentSettings();
      if (!settings) return Reflect.apply(method, this, args);
      const start = () => startTick(job, settings);
      if (spanParameters.length === 0) return settle(start, method, this, args);
      return settle(start, method, this, (work) => withCurrentSpan(args, spanParameters, work?.incoming.span));
    };
  }

  stop(): void {
    this.#settings = undefined;
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
