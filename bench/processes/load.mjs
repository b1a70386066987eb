/**
 * Makes HTTP requests as fast as one server answers them. One process of its own.
 *
 * It writes bytes to sockets by itself, because a client that is slower than the server under test would leave that server
 * idle, and an idle server takes more CPU time for a request than a busy one.
 */
import { connect } from 'node:net';
import { answerCommands } from './commands.mjs';
import { spin } from './spin.mjs';

/** Whatever happens, a slice ends with this many requests. */
const MAX_REQUESTS = 5_000_000;
/** Milliseconds that the last responses may take. */
const PATIENCE = 10_000;

answerCommands({ run });

async function run({ connections, milliseconds, path, port }) {
  const request = Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: bench/1\r\nAccept: application/json\r\n\r\n`,
  );
  const counts = { requests: 0, non2xx: 0 };
  const started = performance.now();
  const deadline = started + milliseconds;
  const goOn = () => counts.requests < MAX_REQUESTS && performance.now() < deadline;
  const stopSpinning = spin();
  const loops = Array.from({ length: connections }, () => loop({ counts, goOn, port, request }));
  try {
    await Promise.all(loops);
  } finally {
    stopSpinning();
  }
  return { ...counts, milliseconds: performance.now() - started };
}

/** One connection: a request, its response, the next. */
function loop({ counts, goOn, port, request }) {
  const { promise, reject, resolve } = withResolvers();
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let rest = '';
  let over = false;

  socket.setTimeout(PATIENCE, () => reject(new Error('A response did not come.')));
  socket.on('connect', () => socket.write(request));
  socket.on('error', reject);
  socket.on('close', () => {
    if (!over) reject(new Error('The server closed a connection.'));
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
    if (goOn()) {
      socket.write(request);
      return;
    }
    over = true;
    socket.end();
    resolve();
  });
  return promise.finally(() => {
    over = true;
    socket.destroy();
  });
}

/** Where a response ends, or -1 while its head is not complete. */
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
