import { QUEUE } from './support/queue.mjs';

/**
 * The set-ups to measure. Each one is a module of `app/setups` or of a peer's folder, with options.
 *
 * `spans` is the number of spans per request. If the sink gets another number, the run reports a problem. A fraction is the
 * expected average of a sampler. `core` set-ups are measured with every Node, the others only with the first one.
 */

const ours = 'nestjs-tracing';
const floor = 'by hand on the stock SDK';

export const httpSetups = [
  { id: 'bare', title: 'bare', setup: 'bare', spans: 0, core: true },
  { id: 'interceptor', title: 'one interceptor that does nothing', setup: 'interceptor', spans: 0, core: true },
  { id: 'disabled', title: `${ours}, disabled`, setup: 'ours', spans: 0, options: { enabled: false }, core: true },
  { id: 'ours-1pc', title: `${ours}, 3 spans, 1 %`, setup: 'ours', spans: 0.03, options: { ratio: 0.01 }, core: true },
  {
    id: 'ours-1pc-keep',
    title: `${ours}, 3 spans, 1 %, failed and slow traces kept`,
    setup: 'ours',
    spans: 0.03,
    options: { ratio: 0.01, keep: { errors: true, slowerThan: 10_000 } },
  },
  {
    id: 'floor-1pc',
    title: `${floor}, 3 spans, 1 %`,
    setup: 'floor',
    spans: 0.03,
    options: { ratio: 0.01 },
    core: true,
  },
  {
    id: 'floor-1-1pc',
    title: `${floor}, 1 span, 1 %`,
    setup: 'floor',
    spans: 0.01,
    options: { ratio: 0.01, serverSpanOnly: true },
  },
  { id: 'ours-1', title: `${ours}, 1 span`, setup: 'ours', spans: 1, options: { serverSpanOnly: true } },
  { id: 'floor-1', title: `${floor}, 1 span`, setup: 'floor', spans: 1, options: { serverSpanOnly: true } },
  { id: 'ours-3', title: `${ours}, 3 spans`, setup: 'ours', spans: 3, core: true },
  { id: 'floor-3', title: `${floor}, 3 spans`, setup: 'floor', spans: 3, core: true },
  { id: 'ours-metrics', title: `${ours}, 3 spans, metrics`, setup: 'ours', spans: 3, options: { metrics: true } },
].map(withQueue);

/** The server makes one span for the call and one for the handler, the client makes one for the call. */
const both = { server: 2, client: 1 };
const rarely = { server: 0.02, client: 0.01 };

export const grpcSetups = [
  { id: 'bare', title: 'bare', setup: 'bare', spans: 0, core: true },
  { id: 'disabled', title: `${ours}, disabled`, setup: 'ours', spans: 0, options: { enabled: false } },
  { id: 'ours-1pc', title: `${ours}, 1 %`, setup: 'ours', spans: rarely, options: { ratio: 0.01 } },
  { id: 'floor-1pc', title: `${floor}, 1 %`, setup: 'floor', spans: rarely, options: { ratio: 0.01 } },
  { id: 'ours', title: ours, setup: 'ours', spans: both, core: true },
  { id: 'floor', title: floor, setup: 'floor', spans: both, core: true },
].map(withQueue);

function withQueue(setup) {
  return { ...setup, options: { queue: QUEUE, ...setup.options } };
}
