/** Makes gRPC calls as fast as one server responds. It uses bare HTTP/2, because a grpc-js client is slower than the server. */
import { connect } from 'node:http2';
import { once } from 'node:events';
import { answerCommands } from './commands.mjs';
import { paths, request } from './grpc-messages.mjs';
import { spin } from './spin.mjs';

/** The greatest number of calls in a slice. */
const MAX_CALLS = 5_000_000;
/** The time limit for a response, in milliseconds. */
const TIME_LIMIT = 10_000;

answerCommands({ run });

async function run({ concurrency, kind, milliseconds, port }) {
  const stopSpinning = spin();
  const session = connect(`http://127.0.0.1:${port}`);
  await once(session, 'connect');
  // The error is ignored here, because each open call reports it as well.
  session.on('error', () => {});
  const counts = { requests: 0, failed: 0 };
  const started = performance.now();
  const loop = async () => {
    while (counts.requests < MAX_CALLS && performance.now() - started < milliseconds) {
      if ((await call(session, paths[kind])) !== '0') counts.failed++;
      counts.requests++;
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, loop));
  } finally {
    stopSpinning();
    session.close();
  }
  return { ...counts, milliseconds: performance.now() - started };
}

/** Makes a call and returns its status. */
function call(session, path) {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status;
    const takeStatus = (headers) => (status = headers['grpc-status'] ?? status);
    stream.on('response', takeStatus);
    stream.on('trailers', takeStatus);
    stream.on('data', () => {});
    stream.on('end', () => resolve(status));
    stream.on('error', reject);
    stream.setTimeout(TIME_LIMIT, () => reject(new Error('A call got no response.')));
    stream.end(request);
  });
}
