/** A backend that accepts every export at once, and only counts the spans. Runs in its own process. */
import { createServer } from 'node:http';
import process from 'node:process';
import { gunzipSync } from 'node:zlib';
import { answerCommands } from './commands.mjs';
import { countSpans, describeSpans } from './count-spans.mjs';
import { countDatadogSpans, countObserveSpans, countSentrySpans } from './count-peer-spans.mjs';

/** The number of bodies that are kept for `describe`. */
const KEPT = 8;

let spans = 0;
let unknown = new Set();
let bodies = [];

const routes = [
  ['/v1/traces', 'application/x-protobuf', '', takeOtlp],
  ['/v0.4/traces', 'application/json', '{"rate_by_service":{}}', (body) => (spans += countDatadogSpans(body))],
  ['/info', 'application/json', '{"endpoints":["/v0.4/traces"]}', () => {}],
  ['/applications/telemetry', 'application/json', '{}', (body) => (spans += countObserveSpans(body))],
  ['/envelope/', 'application/json', '{}', (body) => (spans += countSentrySpans(body))],
];

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const route = routes.find(([path]) => request.url.includes(path));
    if (!route) {
      unknown.add(`${request.method} ${request.url.split('?')[0]}`);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      return;
    }
    const [, type, answer, take] = route;
    const body = Buffer.concat(chunks);
    try {
      take(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
    } catch (error) {
      unknown.add(`${request.url.split('?')[0]} with ${error.message}`);
    }
    response.writeHead(200, { 'content-type': type, 'content-length': answer.length }).end(answer);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send({ ready: true, port: server.address().port }));

const byText = (a, b) => (a < b ? -1 : Number(a > b));

function takeOtlp(body) {
  spans += countSpans(body);
  bodies.push(body);
  if (bodies.length > KEPT) bodies.shift();
}

answerCommands({
  count: () => spans,
  /** Returns the latest sorts of spans, and requests of unknown formats. Forgets both. */
  describe() {
    const sorts = [...new Set(bodies.flatMap(describeSpans))].toSorted(byText);
    const others = [...unknown];
    bodies = [];
    unknown = new Set();
    return { sorts, others };
  },
});
