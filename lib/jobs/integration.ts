import { FoundObjects, type ObjectKind } from '../core/found-objects.js';
import type { Integration, IntegrationContext, IntegrationHooks } from '../core/integration.js';
import { watchProviders, type ProviderWatch } from '../core/provider-instances.js';
import { MESSAGE_METRICS } from '../core/queue-messages.js';
import type { ResolvedJobs } from '../options/jobs.js';
import { bullQueueHost } from './bull/instrument-queue.js';
import { commandHost } from './commands/instrument-command.js';
import { OpenJobs } from './job-work.js';
import { scheduleHosts } from './schedule/instrument-schedule.js';
import { scheduleMetrics } from './schedule/metrics.js';

/** Instruments what runs outside of requests: scheduled methods, jobs of queues, commands of a command line. */
export const jobsIntegration: Integration<{ readonly jobs: ResolvedJobs | undefined }> = {
  name: 'jobs',
  start({ jobs }, context): IntegrationHooks | undefined {
    if (!jobs) return undefined;
    const open = new OpenJobs();
    const found = new FoundObjects(hostsOf(jobs, context, open));
    let providers: ProviderWatch | undefined;
    return {
      providersReady() {
        providers = watchProviders(context.modules, found);
        found.report();
      },
      acquire: () => providers?.scan(),
      drain() {
        open.cancelAll();
        return Promise.resolve();
      },
      shutdown() {
        providers?.stop();
        found.release();
      },
    };
  },
};

function hostsOf(
  { bull, commands, schedule }: ResolvedJobs,
  { flush, meter }: IntegrationContext,
  open: OpenJobs,
): readonly ObjectKind[] {
  const hosts: ObjectKind[] = [];
  if (schedule) hosts.push(...scheduleHosts({ meter: meter(scheduleMetrics), open }));
  if (bull) {
    const meters = { sendMeter: meter(MESSAGE_METRICS.send), processMeter: meter(MESSAGE_METRICS.process) };
    hosts.push(bullQueueHost({ ...bull, ...meters, open }));
  }
  if (commands) hosts.push(commandHost({ flush, open }));
  return hosts;
}
