/** Responds to gRPC calls with bare HTTP/2, because a grpc-js server would be slower than the client. Runs in its own process. */
import { createServer } from 'node:http2';
import process from 'node:process';
import { answerCommands } from './commands.mjs';
import { paths, response, STREAMED } from './grpc-messages.mjs';
import { spin } from './spin.mjs';

const stream10 = Buffer.concat(Array.from({ length: STREAMED }, () => response));
const answers = { [paths.unary]: response, [paths.stream]: stream10 };

const server = createServer();
server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  stream.resume();
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(answers[headers[':path']]);
});
server.listen(0, '127.0.0.1', () => process.send({ ready: true, port: server.address().port }));

let stopSpinning = () => {};
answerCommands({
  spin: () => {
    stopSpinning = spin();
  },
  rest: () => stopSpinning(),
});
