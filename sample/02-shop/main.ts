/** Starts the shop, sends it some orders, and prints what became of each: one trace over all services. */
import { curlLine, goodOrder, send, visits, type Visit } from './run/visits.js';
import { Shop } from './run/shop.js';
import type { Span } from './run/span.js';
import { problemsOf } from './run/trace-check.js';
import { TraceReceiver } from './run/trace-receiver.js';
import { drawTrace } from './run/trace-tree.js';

/** How long to wait for the spans of an order, in milliseconds. */
const PATIENCE = 2000;
/** How long a trace has to be silent until it counts as over. */
const SILENCE = 500;

/** An order that was sent, and the id of its trace. */
interface Sent {
  readonly visit: Visit;
  readonly traceId: string;
}

const colors = process.stdout.isTTY && !process.env.NO_COLOR;
const once = process.argv.includes('--once');
const traces = await TraceReceiver.start();
const shop = await Shop.start({
  folder: import.meta.dirname,
  traces: traces.url,
  ...(process.env.PORT && { port: Number(process.env.PORT) }),
});
const interrupted = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve());
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
  for (const visit of visits) {
    const { status, traceId, body } = await send(url, visit);
    sent.push({ visit, traceId });
    console.log(`> ${visit.title}: ${status} ${body}\n`);
    await traces.until(traceId, (spans) => problemsOf(spans, visit.trace).length === 0, PATIENCE);
    print(traces.spansOf(traceId));
  }
  if (once) return checkAll(sent);

  console.log(`Now try it yourself (Ctrl-C ends it):\n\n  ${curlLine(url, goodOrder)}\n`);
  printLaterTraces();
  await interrupted;
}

/** By the time the services have closed they have exported everything, so what is not here is lost. */
async function checkAll(sent: readonly Sent[]): Promise<void> {
  await shop.stop();
  const problems = sent.flatMap(({ visit, traceId }) =>
    problemsOf(traces.spansOf(traceId), visit.trace).map((problem) => `${visit.title}: ${problem}`),
  );
  const strays = traces.traceIds.filter((traceId) => !sent.some((it) => it.traceId === traceId));
  problems.push(...strays.map((traceId) => `belongs to no order: ${drawTrace(traces.spansOf(traceId), false)}`));
  for (const problem of problems) console.error(problem);
  console.log(problems.length === 0 ? `All ${sent.length} traces are complete.` : `Problems: ${problems.length}.`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

function printLaterTraces(): void {
  const silences = new Map<string, NodeJS.Timeout>();
  traces.onSpan(({ traceId }) => {
    clearTimeout(silences.get(traceId));
    const over = () => {
      silences.delete(traceId);
      print(traces.spansOf(traceId));
      traces.forget(traceId);
    };
    silences.set(traceId, setTimeout(over, SILENCE).unref());
  });
}

function print(spans: readonly Span[]): void {
  console.log(spans.length > 0 ? `${drawTrace(spans, colors)}\n` : 'No span has arrived.\n');
}
