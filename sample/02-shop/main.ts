/** Starts the shop, sends some orders, and prints the trace of each order over all services. */
import type { Order } from './proto/orders.js';
import { digestJob } from './run/expected-traces.js';
import { curlLine, goodOrder, lookUpsOf, send, visits, type LookUp, type Visit } from './run/visits.js';
import { Shop } from './run/shop.js';
import type { Span } from './run/span.js';
import { problemsOf } from './run/trace-check.js';
import { TraceReceiver } from './run/trace-receiver.js';
import { drawTrace } from './run/trace-tree.js';

/** The longest time to wait for the spans of an order, in milliseconds. */
const TIME_LIMIT = 2000;
/** The time without new spans after which a trace counts as complete, in milliseconds. */
const QUIET_TIME = 500;

/** A request that was sent, and the id of its trace. */
interface Sent {
  readonly visit: Visit | LookUp;
  readonly traceId: string;
}

const colors = Boolean(process.env.FORCE_COLOR) || (process.stdout.isTTY && !process.env.NO_COLOR);
const once = process.argv.includes('--once');
const cache = process.env.REDIS_URL ? 'redis' : 'memory';
const interrupted = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve());
});
const traces = await TraceReceiver.start();
const shop = await Shop.start({
  folder: import.meta.dirname,
  traces: traces.url,
  ...(process.env.PORT && { port: Number(process.env.PORT) }),
});

try {
  await Promise.race([demonstrate(), interrupted, shop.broken]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
await shop.stop();
await traces.stop();

async function demonstrate(): Promise<void> {
  const url = await shop.ready;
  console.log(`Some orders for ${url}, and their traces:\n`);
  const sent: Sent[] = [];
  let goodOrderId = '';
  for (const visit of visits) {
    const body = await show(url, visit, sent);
    if (visit === goodOrder) goodOrderId = (JSON.parse(body) as Order).id;
  }
  for (const lookUp of lookUpsOf(goodOrderId, 'acme', cache)) await show(url, lookUp, sent);
  console.log('> A job that the notifications have run at their start\n');
  for (const traceId of jobTraces()) print(traces.spansOf(traceId));
  if (once) return checkAll(sent);

  console.log(`Now try it yourself (Ctrl-C ends it):\n\n  ${curlLine(url, goodOrder)}\n`);
  printLaterTraces();
  await interrupted;
}

/** Sends a request, and prints its trace. Returns the body of the response. */
async function show(url: string, visit: Visit | LookUp, sent: Sent[]): Promise<string> {
  const { status, traceId, body } = await send(url, visit);
  sent.push({ visit, traceId });
  console.log(`> ${visit.title}: ${status} ${body}\n`);
  await traces.until(traceId, (spans) => problemsOf(spans, visit.trace).length === 0, TIME_LIMIT);
  print(traces.spansOf(traceId));
  return body;
}

/** Returns the ids of the traces of the job, which no order has caused. */
function jobTraces(): string[] {
  return traces.traceIds.filter((traceId) => problemsOf(traces.spansOf(traceId), digestJob()).length === 0);
}

/** Checks all traces after the services have closed: they have exported everything by then, so a missing span is lost. */
async function checkAll(sent: readonly Sent[]): Promise<void> {
  await shop.stop();
  const problems = sent.flatMap(({ visit, traceId }) =>
    problemsOf(traces.spansOf(traceId), visit.trace).map((problem) => `${visit.title}: ${problem}`),
  );
  const jobs = jobTraces();
  if (jobs.length !== 1) problems.push(`The job has ${jobs.length} traces.`);
  const known = new Set([...sent.map(({ traceId }) => traceId), ...jobs]);
  const unknownTraces = traces.traceIds.filter((traceId) => !known.has(traceId));
  problems.push(...unknownTraces.map((traceId) => `a trace of no order: ${drawTrace(traces.spansOf(traceId), false)}`));
  for (const problem of problems) console.error(problem);
  console.log(problems.length === 0 ? `All ${sent.length + 1} traces are complete.` : `Problems: ${problems.length}.`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

function printLaterTraces(): void {
  const timers = new Map<string, NodeJS.Timeout>();
  traces.onSpan(({ traceId }) => {
    clearTimeout(timers.get(traceId));
    const onComplete = () => {
      timers.delete(traceId);
      print(traces.spansOf(traceId));
      traces.forget(traceId);
    };
    timers.set(traceId, setTimeout(onComplete, QUIET_TIME).unref());
  });
}

function print(spans: readonly Span[]): void {
  console.log(spans.length > 0 ? `${drawTrace(spans, colors)}\n` : 'No span has arrived.\n');
}
