/**
 * Makes HTTP requests: as fast as one server responds, or at a given rate. Runs in its own process.
 *
 * A client that is slower than the server under test would let that server idle, and an idle server needs more CPU time per request than a
 * busy one.
 */
import { answerCommands } from './commands.mjs';
import { Connection } from './connection.mjs';
import { spin } from './spin.mjs';

/** The greatest number of requests in a slice. */
const MAX_REQUESTS = 5_000_000;

answerCommands({ run, pace });

/** Makes requests for a while. Each connection sends its next request after the response to the one before. */
async function run({ connections, milliseconds, path, port }) {
  const counts = { requests: 0, non2xx: 0 };
  const started = performance.now();
  const deadline = started + milliseconds;
  const stopSpinning = spin();
  const loop = () =>
    new Promise((resolve, reject) => {
      const connection = new Connection({
        path,
        port,
        onError: reject,
        onOpen: () => connection.send(),
        onResponse(isSuccess) {
          counts.requests++;
          if (!isSuccess) counts.non2xx++;
          if (counts.requests < MAX_REQUESTS && performance.now() < deadline) {
            connection.send();
            return;
          }
          connection.close();
          resolve();
        },
      });
    });
  try {
    await Promise.all(Array.from({ length: connections }, loop));
  } finally {
    stopSpinning();
  }
  return { ...counts, milliseconds: performance.now() - started };
}

/**
 * Makes a number of requests per second, at random times as many independent clients do. The latency of a request counts from the time at
 * which it was due, so that a server which stops for a moment delays all requests that were due meanwhile.
 */
async function pace({ connections, milliseconds, path, perSecond, port }) {
  const latencies = [];
  const waiting = [];
  const idle = [];
  const all = [];
  let non2xx = 0;
  let reject;
  const failed = new Promise((_, onReject) => (reject = onReject));
  const stopSpinning = spin();
  const send = (connection, due) => {
    connection.due = due;
    connection.send();
  };
  const open = () =>
    new Promise((resolve) => {
      const connection = new Connection({
        path,
        port,
        onError: reject,
        onOpen: resolve,
        onResponse(isSuccess) {
          latencies.push(performance.now() - connection.due);
          if (!isSuccess) non2xx++;
          if (waiting.length > 0) send(connection, waiting.shift());
          else idle.push(connection);
        },
      });
      all.push(connection);
      idle.push(connection);
    });
  const requests = async () => {
    await Promise.all(Array.from({ length: connections }, open));
    const started = performance.now();
    let due = started;
    let sent = 0;
    while (due < started + milliseconds) {
      if (performance.now() < due) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const connection = idle.pop();
      if (connection) send(connection, due);
      else waiting.push(due);
      sent++;
      due -= (Math.log(1 - Math.random()) * 1000) / perSecond;
    }
    while (latencies.length < sent) await new Promise((resolve) => setImmediate(resolve));
    return performance.now() - started;
  };
  try {
    const took = await Promise.race([requests(), failed]);
    return { requests: latencies.length, non2xx, milliseconds: took, latencies: percentiles(latencies) };
  } finally {
    stopSpinning();
    for (const connection of all) connection.close();
  }
}

function percentiles(latencies) {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (fraction) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))];
  return { p50: at(0.5), p99: at(0.99) };
}
