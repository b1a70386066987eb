import { ATTR_CODE_FUNCTION_NAME, ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import type { OperationMetrics } from '../../core/operation-meter.js';
import { ATTR_SCHEDULE_TYPE } from './scheduled-job.js';

/** The metrics of scheduled jobs. The conventions have none, so these names are those of the library. */
export const scheduleMetrics: OperationMetrics = {
  duration: {
    name: 'nestjs.schedule.job.duration',
    description: 'Duration of the runs of scheduled jobs.',
    unit: 's',
    attributes: [ATTR_CODE_FUNCTION_NAME, ATTR_SCHEDULE_TYPE, ATTR_ERROR_TYPE],
    // A job may take much longer than a request.
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600],
  },
  active: {
    name: 'nestjs.schedule.active_jobs',
    description: 'Number of scheduled jobs that are running.',
    unit: '{job}',
    attributes: [ATTR_CODE_FUNCTION_NAME, ATTR_SCHEDULE_TYPE],
  },
};
