/**
 * Makes HTTP requests as fast as one server responds. Runs in its own process.
 *
 * It writes directly to sockets. A client that is slower than the server under test would let that server idle, and an idle
 * server needs more CPU time per request than a busy one.
 */
import { connect } from 'node:net';
import { answerCommands } from './commands.mjs';
import { spin } from './spin.mjs';

/** The greatest number of requests in a slice. */
const MAX_REQUESTS = 5_000_000;
/** The time limit for a response, in milliseconds. */
const TIME_LIMIT = 10_000;

answerCommands({ run });

async function run({ connections, milliseconds, path, port }) {
  const request = Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: bench/1\r\nAccept: application/json\r\n\r\n`,
  );
  const counts = { requests: 0, non2xx: 0 };
  const started = performance.now();
  const deadline = started + milliseconds;
  const shouldContinue = () => counts.requests < MAX_REQUESTS && performance.now() < deadline;
  const stopSpinning = spin();
  const loops = Array.from({ length: connections }, () => loop({ counts, shouldContinue, port, request }));
  try {
    await Promise.all(loops);
  } finally {
    stopSpinning();
  }
  return { ...counts, milliseconds: performance.now() - started };
}

/** Sends requests over one connection, each after the response to the one before. */
function loop({ counts, shouldContinue, port, request }) {
  const { promise, reject, resolve } = withResolvers();
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let rest = '';
  let isDone = false;

  socket.setTimeout(TIME_LIMIT, () => reject(new Error('A request got no response.')));
  socket.on('connect', () => socket.write(request));
  socket.on('error', reject);
  socket.on('close', () => {
    if (!isDone) reject(new Error('The server closed a connection.'));
  });
  socket.on('data', (chunk) => {
    const text = rest + chunk.latin1Slice();
    const end = endOfResponse(text);
    if (end === -1 || end > text.length) {
      rest = text;
      return;
    }
    if (end < text.length) {
      reject(new Error('There is more than one response to a request.'));
      return;
    }
    rest = '';
    counts.requests++;
    if (text[9] !== '2') counts.non2xx++;
    if (shouldContinue()) {
      socket.write(request);
      return;
    }
    isDone = true;
    socket.end();
    resolve();
  });
  return promise.finally(() => {
    isDone = true;
    socket.destroy();
  });
}

/** Returns the index at which a response ends, or -1 if its head is not complete yet. */
function endOfResponse(text) {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return -1;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text);
  if (!length || length.index > head) throw new Error('A response has no Content-Length.');
  return head + 4 + Number(length[1]);
}

function withResolvers() {
  let resolve;
  let reject;
  const promise = new Promise((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, reject, resolve };
}
